package dev.retort.torch;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** x·Wᵀ + b, or GELU of that, and its three gradients by exchangeable products; what libtorch's own does with its BLAS. */
final class OwnLinear {
    private OwnLinear() {}

    /** Whether it can take these: fp32 on the CPU, the parameters leaves of the graph. */
    static boolean fits(Tensor x, Tensor w, Tensor b) {
        return isFloat(x) && isParameter(w) && (b == null || isParameter(b));
    }

    private static boolean isParameter(Tensor t) {
        return isFloat(t) && t.is_leaf() && t.is_contiguous();
    }

    private static boolean isFloat(Tensor t) {
        return !t.is_cuda() && Dtype.of(t) == Dtype.F32;
    }

    /**
     * x (…, in), w (out, in), b (out) or null → (…, out).
     *
     * @param gelu whether GELU with the tanh approximation follows
     */
    static Tensor forward(LinearProducts by, Tensor x, Tensor w, Tensor b, boolean gelu) {
        long[] shape = Tensors.shape(x);
        shape[shape.length - 1] = w.size(0);
        Tensor y; // (rows, out)
        Tensor flat; // (rows, in)
        Tensor product; // (rows, out)
        boolean graph = Differentiable.wanted(x, w, b);
        // As it is now: who asks for the gradient of x alone freezes the parameters for the forward pass only.
        boolean ofW = w.requires_grad();
        boolean ofB = b != null && b.requires_grad();
        try (NoGrad off = NoGrad.on()) {
            flat = x.detach().reshape(-1, w.size(1)).contiguous();
            product = by.forward(flat, w, b);
            y = gelu ? Fused.geluTanh(product) : product;
        }
        if (graph) {
            y = Differentiable.tie(
                    y,
                    gradient -> new Tensor[] {
                        backward(
                                by,
                                gelu ? Fused.geluTanhGradient(product, gradient) : gradient,
                                x,
                                flat,
                                w,
                                ofW ? w : null,
                                ofB ? b : null)
                    },
                    x);
        }
        return y.view(shape);
    }

    /** gradient (rows, out) → that of x, or null where x wants none; what wants no gradient of w and b is null. */
    private static Tensor backward(
            LinearProducts by, Tensor gradient, Tensor x, Tensor flat, Tensor w, Tensor trainedW, Tensor trainedB) {
        if (trainedW != null) {
            Differentiable.accumulate(trainedW, (into, beta) -> by.multiply(gradient.t(), flat, into, beta));
        }
        if (trainedB != null) {
            Differentiable.accumulate(trainedB, (into, beta) -> {
                if (beta == 0) {
                    torch.sum_out(into, gradient, 0);
                } else {
                    into.add_(gradient.sum(0));
                }
            });
        }
        if (!x.requires_grad()) {
            return null;
        }
        Tensor result = torch.empty(flat.size(0), flat.size(1));
        by.multiply(gradient, w.detach(), result, 0);
        return result.view_as(x);
    }
}
