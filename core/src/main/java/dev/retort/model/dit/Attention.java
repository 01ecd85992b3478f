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
        long n = x.size(0);
        long t = x.size(1);
        long d = x.size(2);
        Tensor[] split =
                Ops.unbind(qkv.forward(x).view(n, t, 3, heads, d / heads).permute(2, 0, 3, 1, 4), 0);
        Tensor q = rotary == null ? split[0] : rotary.apply(split[0]); // (N, heads, T, d)
        Tensor k = rotary == null ? split[1] : rotary.apply(split[1]); // (N, heads, T, d)
        Tensor out = mix(q, k, split[2]).transpose(1, 2).reshape(n, t, d); // (N, T, D)
        return proj.forward(out);
    }

    private Tensor mix(Tensor q, Tensor k, Tensor v) {
        // On the CPU the fused kernel is slower than these three plain ops: thirty times in bf16, half as slow again in
        // fp32.
        if (!q.is_cuda()) {
            Tensor scores = Ops.matmul(Ops.mul(q, 1 / Math.sqrt(q.size(-1))), k.transpose(-2, -1)); // (N, heads, T, T)
            return Ops.matmul(Ops.softmax(scores), v);
        }
        return Ops.attention(q, k, v);
    }
}
