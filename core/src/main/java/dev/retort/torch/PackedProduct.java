package dev.retort.torch;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Products with a weight that is used many times and never trained; CPU, no graph. */
public final class PackedProduct {
    private static final List<Object> NO_SCALARS = List.of();

    private static final long DEPTH = 32;
    private static final Map<String, Boolean> TRIED = new ConcurrentHashMap<>();

    private PackedProduct() {}

    /**
     * Whether a weight of this type and width can be packed here. On some CPUs with AVX-512 (Zen 5) the libraries pack fp32
     * by one plan and multiply by another unless the width is a multiple of 64, and the result is wrong without a word; so
     * each width is tried once.
     *
     * @param width rows of the weight, the width of what is computed
     */
    public static boolean possible(Dtype dtype, long width) {
        Natives.load();
        return TRIED.computeIfAbsent(dtype + "/" + width, key -> tried(dtype, width));
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

    private static boolean tried(Dtype dtype, long width) {
        if (!torch.hasMKLDNN() || dtype == Dtype.BF16 && !multipliesHalf()) {
            return false;
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor weight =
                    torch.linspace(new Scalar(-1), new Scalar(1), width * DEPTH).view(width, DEPTH);
            Tensor x = torch.linspace(new Scalar(1), new Scalar(2), 3 * DEPTH).view(3, DEPTH);
            Tensor plain = x.matmul(weight.t());
            Tensor packed = multiply(dtype.cast(x), pack(dtype.cast(weight)), null, "none", null);
            Tensor error = Dtype.F32.cast(packed).sub(plain);
            return error.norm().item_double() < 0.02 * plain.norm().item_double();
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

    /** x·Wᵀ + b in fp32 with weight (out, in) and bias (out), or null, kept in bf16 and widened for this call. */
    public static Tensor widened(Tensor x, Tensor weight, Tensor bias) {
        try (Scope scope = Scope.open()) {
            return scope.escape(
                    Ops.linear(Dtype.F32.cast(x), Dtype.F32.cast(weight), bias == null ? null : Dtype.F32.cast(bias)));
        }
    }
}
