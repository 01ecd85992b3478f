package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * A way to compute what an {@link Affine} layer computes, W·x + b, or what stands in for it. A kernel that holds the weight in
 * a form of its own belongs to one layer; {@link #PLAIN} serves all.
 */
public interface Kernel extends AutoCloseable {
    /** libtorch's op, or what {@code Ops} knows to be faster, on the layer's own weight; with gradients. */
    Kernel PLAIN = new Kernel() {
        @Override
        public Tensor apply(Affine layer, Tensor x) {
            return layer.product(x);
        }

        @Override
        public Tensor geluTanh(Affine layer, Tensor x) {
            return layer.productGeluTanh(x);
        }
    };

    /** What the layer makes of x, without its adapter. */
    Tensor apply(Affine layer, Tensor x);

    /** GELU (tanh approximation) of {@link #apply}. */
    default Tensor geluTanh(Affine layer, Tensor x) {
        return Ops.geluTanh(apply(layer, x));
    }

    /** Frees what the kernel holds. */
    @Override
    default void close() {}
}
