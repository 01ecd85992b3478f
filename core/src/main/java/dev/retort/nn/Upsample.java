package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Twice the size, or one row or column less: every pixel twice by twice, then a 3x3 convolution. Tensors {@code conv.*}. */
public final class Upsample extends Layer {
    private final Conv2d conv;

    /** Same width in and out. */
    public Upsample(Init init, int channels) {
        conv = child("conv", Conv2d.xavier(init.at("conv"), channels, channels, 3, 1, 1));
    }

    /**
     * To the size of what was once halved, its halves rounded up: x (N, C, H, W) → (N, C, rows, cols). The nearest pixel of 2H - 1 rows is
     * that of the first 2H - 1 of 2H.
     *
     * @param rows 2H or 2H - 1
     * @param cols 2W or 2W - 1
     */
    public Tensor forward(Tensor x, long rows, long cols) {
        Tensor doubled = Ops.doubleSize(x);
        Tensor tall = rows == doubled.size(2) ? doubled : Ops.narrow(doubled, 2, 0, rows);
        return conv.forward(cols == doubled.size(3) ? tall : Ops.narrow(tall, 3, 0, cols));
    }

    /** x (N, C, H, W) → (N, C, 2H, 2W). */
    public Tensor forward(Tensor x) {
        return conv.forward(Ops.doubleSize(x));
    }
}
