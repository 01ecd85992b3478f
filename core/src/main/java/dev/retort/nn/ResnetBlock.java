package dev.retort.nn;

import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * Two 3x3 convolutions, each behind a group norm and SiLU, added to their input; where the widths differ the input passes a
 * 1x1 convolution. Tensors {@code norm1}, {@code conv1}, {@code norm2}, {@code conv2}, {@code conv_shortcut}.
 */
public final class ResnetBlock extends Layer {
    private final GroupNorm norm1;
    private final Conv2d conv1;
    private final GroupNorm norm2;
    private final Conv2d conv2;
    private final Conv2d shortcut;

    /** @param eps of both norms */
    public ResnetBlock(Init init, int in, int out, int groups, double eps) {
        norm1 = child("norm1", new GroupNorm(init.at("norm1"), groups, in, eps));
        conv1 = child("conv1", Conv2d.xavier(init.at("conv1"), in, out, 3, 1, 1));
        norm2 = child("norm2", new GroupNorm(init.at("norm2"), groups, out, eps));
        conv2 = child("conv2", Conv2d.xavier(init.at("conv2"), out, out, 3, 1, 1));
        shortcut = in == out ? null : child("conv_shortcut", Conv2d.xavier(init.at("conv_shortcut"), in, out, 1, 1, 0));
    }

    /** x (N, in, H, W) → (N, out, H, W). */
    public Tensor forward(Tensor x) {
        Tensor y = conv1.forward(Ops.silu(norm1.forward(x))); // (N, out, H, W)
        y = conv2.forward(Ops.silu(norm2.forward(y))); // (N, out, H, W)
        return Ops.add(shortcut == null ? x : shortcut.forward(x), y);
    }
}
