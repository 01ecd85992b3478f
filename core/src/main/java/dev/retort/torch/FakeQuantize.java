package dev.retort.torch;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Rounding to a few bits and back, in fp32, with gradients: to what is rounded as if nothing was (straight through; none where it
 * is clipped), and to scales as LSQ has it (Esser et al. 2020). The numbers are those that {@link IntegerProduct} multiplies.
 */
public final class FakeQuantize {
    private FakeQuantize() {}

    /**
     * Weights.
     *
     * @param weight (out, in)
     * @param scale (out), or (out, groups)
     * @param largest the largest magnitude of a whole number
     */
    public static Tensor weight(Tensor weight, Tensor scale, int largest) {
        long rows = scale.numel();
        Tensor grouped = weight.reshape(rows, -1);
        double share = 1 / Math.sqrt((double) grouped.size(1) * largest);
        Tensor rounded = Boxed.call(
                "aten::_fake_quantize_learnable_per_channel_affine",
                "",
                grouped,
                scale.reshape(rows),
                Tensors.zeros(Device.of(weight), rows),
                0L,
                (long) -largest,
                (long) largest,
                share)[0];
        return rounded.view(Tensors.shape(weight));
    }

    /** The whole numbers that {@link #weight} multiplies with the scale (out) of their row: I8, (out, in); no graph. */
    public static Tensor whole(Tensor weight, Tensor scale, int largest) {
        try (NoGrad off = NoGrad.on()) {
            Tensor factors = scale.reciprocal().view(-1, 1); // as the op above has it
            return Dtype.I8.cast(Ops.clamp(weight.mul(factors).round(), -largest, largest));
        }
    }

    /**
     * Inputs, to unsigned bytes.
     *
     * @param scale (1)
     * @param zeroPoint (1), a whole number in fp32
     */
    public static Tensor unsigned(Tensor x, Tensor scale, Tensor zeroPoint) {
        double share = 1 / Math.sqrt(x.numel() * 255.0);
        return Boxed.call("aten::_fake_quantize_learnable_per_tensor_affine", "", x, scale, zeroPoint, 0L, 255L, share)[
                0];
    }

    /** Inputs, each row (…, D) to signed bytes by its own largest magnitude. */
    public static Tensor signed(Tensor x) {
        Tensor flat = x.reshape(-1, x.size(-1));
        Tensor scales;
        try (NoGrad off = NoGrad.on()) {
            scales = IntegerProduct.rowScales(flat).view(-1);
        }
        return torch.fake_quantize_per_channel_affine(
                        flat, scales, Dtype.I32.cast(Tensors.zeros(Device.of(x), flat.size(0))), 0, -127, 127)
                .view(Tensors.shape(x));
    }
}
