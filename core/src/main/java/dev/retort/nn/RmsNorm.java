package dev.retort.nn;

import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** x / sqrt(mean(x²) + eps) · weight over the last dimension (Zhang and Sennrich 2019), in fp32. */
public final class RmsNorm extends Layer {
    private static final double EPS = 1e-6;
    private final Tensor weight;

    /** Weight of ones. */
    public RmsNorm(Init init, long size) {
        weight = parameter("weight", init.ones(size));
    }

    /** x (…, size), same shape out. */
    public Tensor forward(Tensor x) {
        Tensor wide = Dtype.F32.cast(x);
        Tensor meanSquare = Ops.mean(wide.mul(wide), -1, true);
        return wide.mul(Ops.add(meanSquare, EPS).rsqrt()).mul(weight);
    }
}
