package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Normalisation over the last dimension (Ba et al. 2016). Tensors {@code weight}, {@code bias} (D). */
public final class LayerNorm extends Layer {
    private final Tensor weight;
    private final Tensor bias;
    private final double eps;

    /** Scale 1, shift 0. */
    public LayerNorm(Init init, long width, double eps) {
        weight = parameter("weight", init.ones("weight", width));
        bias = parameter("bias", init.zeros("bias", width));
        this.eps = eps;
    }

    /** x (…, D) → the same shape. */
    public Tensor forward(Tensor x) {
        return Ops.addcmul(bias, Ops.layerNorm(x, eps), weight);
    }
}
