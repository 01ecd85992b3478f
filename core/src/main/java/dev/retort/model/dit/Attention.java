package dev.retort.model.dit;

import dev.retort.nn.Attend;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Multi-head self-attention with one projection for q, k and v, each head-major; in two steps, the first of which needs its input. */
final class Attention extends Layer {
    private final Linear qkv;
    private final Linear proj;
    private final int heads;
    private final RotaryPositions rotary;
    private final double scale;

    Attention(Init init, int hidden, int heads, RotaryPositions rotary) {
        qkv = child("qkv", Linear.xavier(init.at("qkv"), hidden, 3L * hidden));
        proj = child("proj", Linear.xavier(init.at("proj"), hidden, hidden));
        this.heads = heads;
        this.rotary = rotary;
        scale = init.packs() ? 1 : scale(hidden, heads); // or in the weights: ScaledQueries
    }

    /** 1/√d. */
    static double scale(int hidden, int heads) {
        return 1 / Math.sqrt((double) hidden / heads);
    }

    /** x (N, T, D) → (N, T, 3D). */
    Tensor project(Tensor x) {
        return qkv.forward(x);
    }

    /** joint (N, T, 3D) → (N, T, D). */
    Tensor attend(Tensor joint) {
        return proj.forward(rotary == null ? Attend.self(joint, heads, scale) : turned(joint));
    }

    private Tensor turned(Tensor joint) {
        long width = joint.size(2) / (3L * heads);
        Tensor apart = Ops.view(joint, joint.size(0), joint.size(1), 3, heads, width);
        Tensor[] split = Ops.unbind(Ops.permute(apart, 2, 0, 3, 1, 4), 0);
        return Attend.of(rotary.apply(split[0]), rotary.apply(split[1]), split[2], Attend.Mask.NONE, scale);
    }
}
