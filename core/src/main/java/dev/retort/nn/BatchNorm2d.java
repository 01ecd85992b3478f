package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * Batch normalisation per channel (Ioffe and Szegedy 2015). Tensors {@code weight}, {@code bias}, and the buffers
 * {@code running_mean}, {@code running_var}, all (C).
 */
public final class BatchNorm2d extends Layer {
    private static final double MOMENTUM = 0.1;
    private static final double EPS = 1e-5;

    private final Tensor weight;
    private final Tensor bias;
    private final Tensor mean;
    private final Tensor var;

    /** Scale 1, shift 0, statistics of unit noise. */
    public BatchNorm2d(Init init, int channels) {
        weight = parameter("weight", init.ones("weight", channels));
        bias = parameter("bias", init.zeros("bias", channels));
        mean = buffer("running_mean", init.zeros("running_mean", channels));
        var = buffer("running_var", init.ones("running_var", channels));
    }

    /**
     * x (N, C, H, W) → the same shape.
     *
     * @param training normalise by the batch and update the running statistics; else normalise by these
     */
    public Tensor forward(Tensor x, boolean training) {
        return Ops.batchNorm(x, weight, bias, mean, var, training, MOMENTUM, EPS);
    }
}
