package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.RmsNorm;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** An adaLN-Zero block (paper §3.2): both halves are shifted, scaled and gated by the condition. */
final class DitBlock extends Layer {
    static final double EPS = 1e-6;
    private final RmsNorm norm1;
    private final Attention attn;
    private final RmsNorm norm2;
    private final Mlp mlp;
    private final Linear modulation;
    private final double mlpNormEps;

    DitBlock(Init init, DitSpec spec, RotaryPositions rotary) {
        norm1 = spec.modern() ? child("norm1", new RmsNorm(init.at("norm1"), spec.hidden())) : null;
        attn = child("attn", new Attention(init.at("attn"), spec.hidden(), spec.heads(), rotary));
        norm2 = spec.modern() ? child("norm2", new RmsNorm(init.at("norm2"), spec.hidden())) : null;
        mlp = child("mlp", new Mlp(init.at("mlp"), spec));
        mlpNormEps = spec.convention().mlpNormEps();
        modulation = child("adaLN_modulation.1", Linear.zero(init, spec.hidden(), 6L * spec.hidden()));
    }

    /** The block's output and what its two halves added. */
    record Out(Tensor x, Tensor attn, Tensor mlp) {}

    /** x (N, T, D), act = SiLU(c) (N, D). */
    Out forward(Tensor x, Tensor act) {
        // shift, scale, gate of the attention, then of the MLP, each (N, 1, D)
        Tensor[] m = Ops.chunk(Ops.unsqueeze(modulation.forward(act), 1), 6, -1);
        Tensor a = attn.forward(modulatedNorm(norm1, x, m[0], m[1], EPS)); // (N, T, D)
        Tensor h = Ops.addcmul(x, m[2], a);
        Tensor f = mlp.forward(modulatedNorm(norm2, h, m[3], m[4], mlpNormEps)); // (N, T, D)
        return new Out(Ops.addcmul(h, m[5], f), a, f);
    }

    /** norm(x)·(1 + scale) + shift; the norm is a LayerNorm without parameters, or the modern variant's RMSNorm. */
    static Tensor modulatedNorm(RmsNorm rms, Tensor x, Tensor shift, Tensor scale, double eps) {
        return Ops.modulatedNorm(x, rms == null ? null : rms.weight(), shift, Ops.add(scale, 1), eps);
    }
}
