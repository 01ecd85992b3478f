package dev.retort.model.vae;

import dev.retort.nn.Attend;
import dev.retort.nn.GroupNorm;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Self-attention of one head over all pixels, behind a group norm, added to its input. */
final class KlAttention extends Layer {
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
        Tensor q = Ops.unsqueeze(toQ.forward(tokens), 1); // (N, 1, HW, C), k and v likewise
        Tensor k = Ops.unsqueeze(toK.forward(tokens), 1);
        Tensor v = Ops.unsqueeze(toV.forward(tokens), 1);
        Tensor out = toOut.forward(Attend.of(q, k, v, Attend.Mask.NONE, 1 / Math.sqrt(c))); // (N, HW, C)
        return Ops.add(x, Ops.reshape(Ops.transpose(out, 1, 2), n, c, x.size(2), x.size(3)));
    }
}
