package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * Half the size by a 3x3 convolution of stride 2. Tensors {@code conv.*}. U-Nets pad all four sides by one, autoencoders
 * the right and the bottom alone.
 */
public final class Downsample extends Layer {
    private final Conv2d conv;
    private final boolean allSides;

    /** @param allSides whether all four sides are padded, else the right and the bottom */
    public Downsample(Init init, int channels, boolean allSides) {
        conv = child("conv", Conv2d.xavier(init.at("conv"), channels, channels, 3, 2, allSides ? 1 : 0));
        this.allSides = allSides;
    }

    /** x (N, C, H, W) → (N, C, H/2, W/2). */
    public Tensor forward(Tensor x) {
        return conv.forward(allSides ? x : Ops.padZeros(x, 0, 1, 0, 1));
    }
}
