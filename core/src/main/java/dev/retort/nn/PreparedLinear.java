package dev.retort.nn;

import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Kernels;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.PackedProduct;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;

/**
 * y = x·Wᵀ + b for inference: the weight is copied once into its element type and, on a CPU whose oneDNN multiplies that
 * type, into oneDNN's own block layout, where GELU costs nothing beside the product. Elsewhere bf16 saves memory only: the
 * weight is widened for each product. Independent of the layer it was made from.
 */
public final class PreparedLinear implements AutoCloseable {
    private enum Form {
        /** In oneDNN's blocks. */
        PACKED,
        /** Row-major, multiplied as it is. */
        PLAIN,
        /** Row-major bf16, multiplied in fp32. */
        WIDENED
    }

    private final Tensor weight;
    private final Tensor bias;
    private final Dtype dtype;
    private final Form form;

    /**
     * Prepares.
     *
     * @param weight (out, in)
     * @param bias (out)
     * @param dtype of the weight: F32 or BF16
     */
    public PreparedLinear(Tensor weight, Tensor bias, Dtype dtype) {
        this.dtype = dtype;
        form = form(Device.of(weight), dtype, weight.size(0));
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor plain = dtype.cast(Ops.detach(weight));
            // The block layout is a copy already.
            this.weight = scope.keep(form == Form.PACKED ? PackedProduct.pack(plain) : Ops.copy(plain));
            this.bias = scope.keep(Ops.copy(dtype.cast(Ops.detach(bias))));
        }
    }

    private static Form form(Device device, Dtype dtype, long width) {
        if (device.isCuda()) {
            return Form.PLAIN;
        }
        if (dtype == Dtype.BF16 && Kernels.current().half() == Kernels.Half.WIDENED) {
            return Form.WIDENED;
        }
        return PackedProduct.possible(dtype, width) ? Form.PACKED : Form.PLAIN;
    }

    /** x (…, in), any float type → (…, out) in the arithmetic's type. */
    public Tensor forward(Tensor x) {
        return switch (form) {
            case PACKED -> PackedProduct.multiply(dtype.cast(x), weight, bias, "none", null);
            case PLAIN -> Ops.linear(dtype.cast(x), weight, bias);
            case WIDENED -> PackedProduct.widened(x, weight, bias);
        };
    }

    /** GELU (tanh approximation) of {@link #forward}. */
    public Tensor forwardGeluTanh(Tensor x) {
        return switch (form) {
            case PACKED ->
                dtype == Dtype.F32 && Kernels.current().elementwise() == Kernels.Elementwise.FUSED
                        ? Ops.geluTanh(forward(x))
                        : PackedProduct.multiply(dtype.cast(x), weight, bias, "gelu", "tanh");
            case PLAIN -> Ops.linearGeluTanh(dtype.cast(x), weight, bias);
            case WIDENED -> Ops.geluTanh(forward(x));
        };
    }

    @Override
    public void close() {
        weight.close();
        bias.close();
    }
}
