package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** The weight of an RMS norm ({@link Ops#rmsNorm}). */
public final class RmsNorm extends Layer {
    private final Tensor weight;

    /** Weight of ones. */
    public RmsNorm(Init init, long size) {
        weight = parameter("weight", init.ones("weight", size));
    }

    /** (size). */
    public Tensor weight() {
        return weight;
    }
}
