package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.RmsNorm;
import dev.retort.torch.Ops;
import dev.retort.torch.Scratch;
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

    /** @param modulates whether it makes its modulations, which else are given */
    DitBlock(Init init, DitSpec spec, RotaryPositions rotary, boolean modulates) {
        // First what is largest: where weights are given, the memory it came through serves all others.
        Linear largest = modulates
                ? Linear.zero(init.at("adaLN_modulation.1"), spec.hidden(), (long) DitSpec.BLOCK_PARTS * spec.hidden())
                : null;
        norm1 = spec.modern() ? child("norm1", new RmsNorm(init.at("norm1"), spec.hidden())) : null;
        attn = child("attn", new Attention(init.at("attn"), spec.hidden(), spec.heads(), rotary));
        norm2 = spec.modern() ? child("norm2", new RmsNorm(init.at("norm2"), spec.hidden())) : null;
        mlp = child("mlp", new Mlp(init.at("mlp"), spec));
        mlpNormEps = spec.convention().mlpNormEps();
        modulation = modulates ? child("adaLN_modulation.1", largest) : null;
    }

    /** The block's output and, where asked for, what its two halves added. */
    record Out(Tensor x, Tensor attn, Tensor mlp) {}

    /** From SiLU(c) (N, D) to {@link DitSpec#BLOCK_PARTS} modulations, each (N, D), beside each other. */
    Linear modulation() {
        return modulation;
    }

    /**
     * One pass.
     *
     * @param x (N, T, D)
     * @param m {@link DitSpec#BLOCK_PARTS} modulations, each (N, 1, D)
     * @param halves whether what the halves add is wanted
     */
    Out forward(Tensor x, Tensor[] m, boolean halves) {
        Tensor h; // (N, T, D)
        Tensor a; // (N, T, D)
        try (Scratch scratch = Scratch.open()) {
            Tensor joint = Scratch.of(() -> attn.project(modulatedNorm(norm1, x, m[0], m[1], EPS))); // (N, T, 3D)
            Tensor added = attn.attend(joint);
            h = scratch.escape(Ops.addcmul(x, m[2], added));
            a = halves ? scratch.escape(added) : null;
        }
        try (Scratch scratch = Scratch.open()) {
            Tensor wide = Scratch.of(() -> mlp.widen(modulatedNorm(norm2, h, m[3], m[4], mlpNormEps))); // (N, T, …)
            Tensor added = mlp.narrow(wide); // (N, T, D)
            Tensor y = h;
            if (scratch.frees()) {
                Ops.addcmulInPlace(h, m[5], added);
            } else {
                y = Ops.addcmul(h, m[5], added);
            }
            return new Out(y, a, halves ? scratch.escape(added) : null);
        }
    }

    /** Equal parts of joint modulations (N, parts·D), each (N, 1, D); those that scale become 1 + scale. */
    static Tensor[] parts(Tensor joint, int parts) {
        Tensor[] m = Ops.chunk(Ops.unsqueeze(joint, 1), parts, -1);
        for (int scale = 1; scale < parts; scale += 3) {
            m[scale] = Ops.add(m[scale], 1);
        }
        return m;
    }

    /** norm(x)·factor + shift; the norm is a LayerNorm without parameters, or the modern variant's RMSNorm. */
    static Tensor modulatedNorm(RmsNorm rms, Tensor x, Tensor shift, Tensor factor, double eps) {
        return Ops.modulatedNorm(x, rms == null ? null : rms.weight(), shift, factor, eps);
    }
}
