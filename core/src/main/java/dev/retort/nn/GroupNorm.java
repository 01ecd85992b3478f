package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Normalisation over groups of channels and all pixels (Wu and He 2018). Tensors {@code weight}, {@code bias} (C). */
public final class GroupNorm extends Layer {
    private final Tensor weight;
    private final Tensor bias;
    private final int groups;
    private final double eps;

    /** Scale 1, shift 0. */
    public GroupNorm(Init init, int groups, int channels, double eps) {
        weight = parameter("weight", init.ones("weight", channels));
        bias = parameter("bias", init.zeros("bias", channels));
        this.groups = groups;
        this.eps = eps;
    }

    /** x (N, C, H, W) → the same shape. */
    public Tensor forward(Tensor x) {
        return Ops.groupNorm(x, groups, weight, bias, eps);
    }
}
