package dev.retort.torch;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** The products that make {@link OwnLinear}: fp32 matrices on the CPU, without a graph. */
interface LinearProducts {
    /** x·Wᵀ + b; x (rows, in), w (out, in), b (out) or null → (rows, out). */
    Tensor forward(Tensor x, Tensor w, Tensor b);

    /** into ← a·b + beta·into with beta 0 or 1; either factor may be a transposed view. */
    void multiply(Tensor a, Tensor b, Tensor into, double beta);

    /** By {@link BlasProducts} on the process's team. */
    LinearProducts SHARED = new LinearProducts() {
        @Override
        public Tensor forward(Tensor x, Tensor w, Tensor b) {
            Tensor y = torch.empty(x.size(0), w.size(0));
            if (b != null) {
                y.copy_(b.expand(x.size(0), w.size(0)));
            }
            multiply(x, w.t(), y, b == null ? 0 : 1);
            return y;
        }

        @Override
        public void multiply(Tensor a, Tensor b, Tensor into, double beta) {
            BlasProducts.multiply(Natives.team(), a, b, into, 1, beta);
        }
    };

    /** By oneDNN's inner product on operands as they lie; a transposed left factor is copied first. */
    LinearProducts ONEDNN = new LinearProducts() {
        @Override
        public Tensor forward(Tensor x, Tensor w, Tensor b) {
            return Boxed.call("mkldnn::_linear_pointwise", "", x, w, b, "none", List.of(), null)[0];
        }

        @Override
        public void multiply(Tensor a, Tensor b, Tensor into, double beta) {
            Tensor product = forward(a, b.t(), null);
            if (beta == 0) {
                into.copy_(product);
            } else {
                into.add_(product);
            }
        }
    };
}
