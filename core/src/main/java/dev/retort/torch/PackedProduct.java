package dev.retort.torch;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Products with a weight that is used many times and never trained; CPU, no graph. */
public final class PackedProduct {
    private static final List<Object> NO_SCALARS = List.of();

    /** Widths whose blocks oneDNN lays out differently. */
    private static final long[] TRIED = {48, 64, 80};

    private PackedProduct() {}

    private static final class Holder {
        static final boolean FLOAT = tried(Dtype.F32);
        static final boolean HALF = multipliesHalf() && tried(Dtype.BF16);
    }

    /**
     * Whether weights of this type can be packed here. Where libtorch may not hand fp32 to oneDNN although there is AVX-512,
     * it packs by one plan and multiplies by another, and the result is wrong; so this is tried, once.
     */
    public static boolean possible(Dtype dtype) {
        Natives.load();
        return dtype == Dtype.BF16 ? Holder.HALF : Holder.FLOAT;
    }

    /** Whether this CPU's oneDNN multiplies bf16. */
    static boolean multipliesHalf() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor weight = Dtype.BF16.cast(torch.ones(16, 16));
            multiply(weight, pack(weight), null, "none", null);
            return true;
        } catch (RuntimeException e) {
            return false; // libtorch or oneDNN says that this CPU cannot
        }
    }

    private static boolean tried(Dtype dtype) {
        if (!torch.hasMKLDNN()) {
            return false;
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            for (long width : TRIED) {
                Tensor weight = torch.arange(new Scalar(width * 32.0))
                        .to(torch.ScalarType.Float)
                        .view(width, 32);
                Tensor x = weight.narrow(0, 0, 3);
                Tensor plain = x.matmul(weight.t());
                Tensor packed = multiply(dtype.cast(x), pack(dtype.cast(weight)), null, "none", null);
                Tensor error = Dtype.F32.cast(packed).sub(plain);
                if (!(error.norm().item_double() < 0.02 * plain.norm().item_double())) {
                    return false;
                }
            }
            return true;
        }
    }

    /** The weight (out, in), fp32 or bf16, copied into the blocks that oneDNN reads. */
    public static Tensor pack(Tensor weight) {
        return Boxed.call("mkldnn::_reorder_linear_weight", "", weight, null)[0];
    }

    /**
     * act(x·Wᵀ + b).
     *
     * @param x (…, in) in the weight's element type
     * @param packed from {@link #pack}, or row-major as it lies
     * @param bias (out) in the weight's element type, or null
     * @param activation {@code none} or {@code gelu}
     * @param algorithm {@code tanh} for that GELU, null without one
     */
    public static Tensor multiply(Tensor x, Tensor packed, Tensor bias, String activation, String algorithm) {
        return Boxed.call("mkldnn::_linear_pointwise", "", x, packed, bias, activation, NO_SCALARS, algorithm)[0];
    }

    /** x·Wᵀ + b in fp32 with weight (out, in) and bias (out) kept in bf16 and widened for this call. */
    public static Tensor widened(Tensor x, Tensor weight, Tensor bias) {
        try (Scope scope = Scope.open()) {
            return scope.escape(Ops.linear(Dtype.F32.cast(x), Dtype.F32.cast(weight), Dtype.F32.cast(bias)));
        }
    }
}
