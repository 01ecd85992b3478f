package dev.retort.model.dit;

import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Multi-head self-attention with one projection for q, k and v, each head-major. */
final class Attention extends Layer {
    private final Linear qkv;
    private final Linear proj;
    private final int heads;
    private final RotaryPositions rotary;

    Attention(Init init, int hidden, int heads, RotaryPositions rotary) {
        qkv = child("qkv", Linear.xavier(init.at("qkv"), hidden, 3L * hidden));
        proj = child("proj", Linear.xavier(init.at("proj"), hidden, hidden));
        this.heads = heads;
        this.rotary = rotary;
    }

    /** x (N, T, D) → (N, T, D). */
    Tensor forward(Tensor x) {
        return proj.forward(attend(qkv.forward(x), heads, rotary, Math.sqrt((double) heads / x.size(2))));
    }

    /** joint (N, T, 3D), as the projection gives it → (N, T, D). */
    static Tensor attend(Tensor joint, int heads, RotaryPositions rotary, double scale) {
        if (rotary == null) {
            return Ops.attention(joint, heads, scale);
        }
        long width = joint.size(2) / (3L * heads);
        Tensor apart = Ops.view(joint, joint.size(0), joint.size(1), 3, heads, width);
        Tensor[] split = Ops.unbind(Ops.permute(apart, 2, 0, 3, 1, 4), 0);
        return Ops.attention(rotary.apply(split[0]), rotary.apply(split[1]), split[2], scale); // (N, heads, T, d)
    }
}
