package dev.retort.model.unet;

import dev.retort.nn.Attend;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Attention of pixels to others, or to the states of a text. Tensors {@code to_q}, {@code to_k}, {@code to_v}, {@code to_out.0}. */
final class CrossAttention extends Layer {
    private final Linear q;
    private final Linear k;
    private final Linear v;
    private final Linear out;
    private final int heads;

    /** @param keyWidth width of what is attended to */
    CrossAttention(Init init, int channels, int keyWidth, int heads) {
        q = child("to_q", Linear.withoutBias(init.at("to_q"), channels, channels));
        k = child("to_k", Linear.withoutBias(init.at("to_k"), keyWidth, channels));
        v = child("to_v", Linear.withoutBias(init.at("to_v"), keyWidth, channels));
        out = child("to_out.0", Linear.xavier(init.at("to_out.0"), channels, channels));
        this.heads = heads;
    }

    /**
     * One pass.
     *
     * @param x (N, T, C)
     * @param to (N, S, keyWidth)
     * @return (N, T, C)
     */
    Tensor forward(Tensor x, Tensor to) {
        double scale = 1 / Math.sqrt((double) x.size(2) / heads);
        return out.forward(
                Attend.of(split(q.forward(x)), split(k.forward(to)), split(v.forward(to)), Attend.Mask.NONE, scale));
    }

    /** (N, T, C) → (N, heads, T, C / heads). */
    private Tensor split(Tensor x) {
        return Ops.transpose(Ops.view(x, x.size(0), x.size(1), heads, x.size(2) / heads), 1, 2);
    }
}
