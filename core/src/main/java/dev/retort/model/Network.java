package dev.retort.model;

import dev.retort.nn.Layer;

/** A denoiser of layers, which can be trained. */
public abstract class Network extends Layer implements Denoiser {
    /** Whether the backward pass computes the insides of blocks again instead of storing them. */
    public abstract void recompute(boolean on);
}
