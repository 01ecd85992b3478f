package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Twice the size: every pixel twice by twice, then a 3x3 convolution. Tensors {@code conv.*}. */
public final class Upsample extends Layer {
    private final Conv2d conv;

    /** Same width in and out. */
    public Upsample(Init init, int channels) {
        conv = child("conv", Conv2d.xavier(init.at("conv"), channels, channels, 3, 1, 1));
    }

    /** x (N, C, H, W) → (N, C, 2H, 2W). */
    public Tensor forward(Tensor x) {
        return conv.forward(Ops.doubleSize(x));
    }
}
