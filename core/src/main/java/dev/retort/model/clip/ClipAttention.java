package dev.retort.model.clip;

import dev.retort.nn.Attend;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Self-attention of several heads, in which a token sees those before it and itself. */
final class ClipAttention extends Layer {
    private final Linear q;
    private final Linear k;
    private final Linear v;
    private final Linear out;
    private final int heads;

    /** @param added standard deviation of the initial weight of the last product */
    ClipAttention(Init init, int width, int heads, double added) {
        double std = Math.pow(width, -0.5);
        k = child("k_proj", Linear.normal(init.at("k_proj"), std, width, width));
        v = child("v_proj", Linear.normal(init.at("v_proj"), std, width, width));
        q = child("q_proj", Linear.normal(init.at("q_proj"), std, width, width));
        out = child("out_proj", Linear.normal(init.at("out_proj"), added, width, width));
        this.heads = heads;
    }

    /** x (N, L, W) → the same shape. */
    Tensor forward(Tensor x) {
        double scale = 1 / Math.sqrt((double) x.size(2) / heads);
        return out.forward(
                Attend.of(split(q.forward(x)), split(k.forward(x)), split(v.forward(x)), Attend.Mask.CAUSAL, scale));
    }

    /** (N, L, W) → (N, heads, L, W / heads). */
    private Tensor split(Tensor x) {
        return Ops.transpose(Ops.view(x, x.size(0), x.size(1), heads, x.size(2) / heads), 1, 2);
    }
}
