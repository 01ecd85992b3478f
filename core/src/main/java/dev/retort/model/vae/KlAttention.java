package dev.retort.model.vae;

import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;

/** Self-attention of one head over all pixels, behind a group norm, added to its input. */
final class KlAttention extends Layer {
    /** Scores held at a time: queries go in portions where pictures are large. */
    private static final long SCORES = 1L << 24;

    private final GroupNorm norm;
    private final Linear toQ;
    private final Linear toK;
    private final Linear toV;
    private final Linear toOut;

    KlAttention(Init init, int channels, int groups, double eps) {
        norm = child("group_norm", new GroupNorm(init.at("group_norm"), groups, channels, eps));
        toQ = child("to_q", Linear.xavier(init.at("to_q"), channels, channels));
        toK = child("to_k", Linear.xavier(init.at("to_k"), channels, channels));
        toV = child("to_v", Linear.xavier(init.at("to_v"), channels, channels));
        toOut = child("to_out.0", Linear.xavier(init.at("to_out.0"), channels, channels));
    }

    /** x (N, C, H, W) → the same shape. */
    Tensor forward(Tensor x) {
        long n = x.size(0);
        long c = x.size(1);
        Tensor tokens = Ops.transpose(Ops.view(norm.forward(x), n, c, -1), 1, 2); // (N, HW, C)
        Tensor q = Ops.mul(toQ.forward(tokens), 1 / Math.sqrt(c)); // (N, HW, C)
        Tensor k = Ops.transpose(toK.forward(tokens), 1, 2); // (N, C, HW)
        Tensor v = toV.forward(tokens); // (N, HW, C)
        long pixels = q.size(1);
        long portion = Math.max(1, SCORES / (n * pixels));
        Tensor[] parts = new Tensor[Math.toIntExact((pixels + portion - 1) / portion)];
        for (int i = 0; i < parts.length; i++) {
            try (Scope scope = Scope.open()) {
                Tensor some = Ops.narrow(q, 1, i * portion, Math.min(portion, pixels - i * portion));
                parts[i] = scope.escape(Ops.matmul(Ops.softmax(Ops.matmul(some, k)), v)); // (N, ≤portion, C)
            }
        }
        Tensor out = toOut.forward(Ops.cat(1, parts)); // (N, HW, C)
        return Ops.add(x, Ops.reshape(Ops.transpose(out, 1, 2), n, c, x.size(2), x.size(3)));
    }
}
