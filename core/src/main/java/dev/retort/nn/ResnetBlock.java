package dev.retort.nn;

import dev.retort.torch.Ops;
import dev.retort.torch.Scratch;
import org.bytedeco.pytorch.Tensor;

/**
 * Two 3x3 convolutions, each behind a group norm and SiLU, added to their input; where the widths differ the input passes a
 * 1x1 convolution. In a denoiser an embedding of the time is added between the two. Tensors {@code norm1}, {@code conv1}, {@code
 * time_emb_proj}, {@code norm2}, {@code conv2}, {@code conv_shortcut}.
 */
public final class ResnetBlock extends Layer {
    private final GroupNorm norm1;
    private final Conv2d conv1;
    private final Linear time;
    private final GroupNorm norm2;
    private final Conv2d conv2;
    private final Conv2d shortcut;

    /** @param eps of both norms */
    public ResnetBlock(Init init, int in, int out, int groups, double eps) {
        this(init, in, out, 0, groups, eps);
    }

    /**
     * One that is told the time; what it adds to its input is zero at first.
     *
     * @param embedding width of the time's embedding
     * @param eps of both norms
     */
    public static ResnetBlock timed(Init init, int in, int out, int embedding, int groups, double eps) {
        return new ResnetBlock(init, in, out, embedding, groups, eps);
    }

    private ResnetBlock(Init init, int in, int out, int embedding, int groups, double eps) {
        norm1 = child("norm1", new GroupNorm(init.at("norm1"), groups, in, eps));
        conv1 = child("conv1", Conv2d.xavier(init.at("conv1"), in, out, 3, 1, 1));
        time = embedding == 0 ? null : child("time_emb_proj", Linear.xavier(init.at("time_emb_proj"), embedding, out));
        norm2 = child("norm2", new GroupNorm(init.at("norm2"), groups, out, eps));
        conv2 = child(
                "conv2",
                embedding == 0
                        ? Conv2d.xavier(init.at("conv2"), out, out, 3, 1, 1)
                        : Conv2d.zero(init.at("conv2"), out, out, 3, 1, 1));
        shortcut = in == out ? null : child("conv_shortcut", Conv2d.xavier(init.at("conv_shortcut"), in, out, 1, 1, 0));
    }

    /** x (N, in, H, W) → (N, out, H, W). */
    public Tensor forward(Tensor x) {
        return forward(x, null);
    }

    /**
     * The same of one that is told the time.
     *
     * @param embedded SiLU of the time's embedding (N, E)
     */
    public Tensor forward(Tensor x, Tensor embedded) {
        return Scratch.of(() -> {
            Tensor first = Scratch.of(() -> first(x, embedded)); // (N, out, H, W)
            Tensor second = Scratch.of(() -> conv2.forward(activated(norm2, first))); // (N, out, H, W)
            return Ops.add(shortcut == null ? x : shortcut.forward(x), second);
        });
    }

    private Tensor first(Tensor x, Tensor embedded) {
        Tensor y = conv1.forward(activated(norm1, x));
        return time == null ? y : Ops.add(y, Ops.unsqueeze(Ops.unsqueeze(time.forward(embedded), -1), -1));
    }

    private static Tensor activated(GroupNorm norm, Tensor x) {
        return Scratch.of(() -> Ops.silu(norm.forward(x)));
    }
}
