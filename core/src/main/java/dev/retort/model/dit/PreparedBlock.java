package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.model.WeightSource;
import dev.retort.nn.PreparedLinear;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;

/** {@link DitBlock} on prepared weights; the residual stream stays in fp32. */
final class PreparedBlock implements AutoCloseable {
    private final int heads;
    private final RotaryPositions rotary;
    private final Tensor norm1;
    private final Tensor norm2;
    private final PreparedLinear qkv;
    private final PreparedLinear proj;
    private final boolean gated;
    private final double mlpNormEps;
    private final PreparedLinear in;
    private final PreparedLinear out;

    PreparedBlock(DitSpec spec, WeightSource weights, String name, RotaryPositions rotary, Dtype dtype) {
        heads = spec.heads();
        gated = spec.modern();
        mlpNormEps = spec.convention().mlpNormEps();
        this.rotary = rotary;
        norm1 = gated ? copy(weights, name + "norm1.weight") : null;
        norm2 = gated ? copy(weights, name + "norm2.weight") : null;
        qkv = scaled(spec, weights, name + "attn.qkv", dtype);
        proj = linear(weights, name + "attn.proj", dtype);
        in = linear(weights, name + (gated ? "mlp.w12" : "mlp.fc1"), dtype);
        out = linear(weights, name + (gated ? "mlp.w3" : "mlp.fc2"), dtype);
    }

    /** softmax(q·kᵀ/√d): the scale goes into the rows of W and b that make q. */
    private static PreparedLinear scaled(DitSpec spec, WeightSource weights, String name, Dtype dtype) {
        try (Scope scope = Scope.open()) {
            Tensor weight = weights.take(name + ".weight", Dtype.F32);
            Tensor bias = weights.take(name + ".bias", Dtype.F32);
            double scale = 1 / Math.sqrt(spec.hidden() / (double) spec.heads());
            Ops.mulInPlace(Ops.narrow(weight, 0, 0, spec.hidden()), scale);
            Ops.mulInPlace(Ops.narrow(bias, 0, 0, spec.hidden()), scale);
            return new PreparedLinear(weight, bias, dtype);
        }
    }

    static PreparedLinear linear(WeightSource weights, String name, Dtype dtype) {
        try (Scope scope = Scope.open()) {
            return new PreparedLinear(
                    weights.take(name + ".weight", dtype), weights.take(name + ".bias", dtype), dtype);
        }
    }

    /** A copy that lives until closed. */
    static Tensor copy(WeightSource weights, String name) {
        try (Scope scope = Scope.open()) {
            return scope.keep(Ops.copy(Ops.detach(weights.take(name, Dtype.F32))));
        }
    }

    /**
     * x (N, T, D); m (N, 6, D): shift, 1 + scale, gate of the attention, then of the MLP. Scopes end as early as they can,
     * and what nobody else sees is overwritten: intermediates are most of what sampling with a small network needs.
     */
    Tensor forward(Tensor x, Tensor m) {
        Tensor h; // (N, T, D)
        try (Scope scope = Scope.open()) {
            h = scope.escape(Ops.addcmul(x, Ops.narrow(m, 1, 2, 1), attention(x, m)));
        }
        try (Scope scope = Scope.open()) {
            Ops.addcmulInPlace(h, Ops.narrow(m, 1, 5, 1), mlp(h, m));
        }
        return h;
    }

    /** norm(x)·(1 + scale) + shift, with shift and 1 + scale in rows {@code row} and {@code row + 1} of m. */
    static Tensor modulated(Tensor rmsWeight, Tensor x, Tensor m, int row, double eps) {
        return Ops.modulatedNorm(x, rmsWeight, Ops.narrow(m, 1, row, 1), Ops.narrow(m, 1, row + 1, 1), eps);
    }

    private Tensor attention(Tensor x, Tensor m) {
        Tensor joint; // (N, T, 3D)
        try (Scope scope = Scope.open()) {
            joint = scope.escape(qkv.forward(modulated(norm1, x, m, 0, DitBlock.EPS)));
        }
        return proj.forward(Attention.attend(joint, heads, rotary, 1));
    }

    private Tensor mlp(Tensor x, Tensor m) {
        Tensor wide; // (N, T, hidden of the MLP)
        try (Scope scope = Scope.open()) {
            Tensor normed = modulated(norm2, x, m, 3, mlpNormEps);
            wide = scope.escape(gated ? swiglu(in.forward(normed)) : in.forwardGeluTanh(normed));
        }
        return out.forward(wide);
    }

    private static Tensor swiglu(Tensor both) {
        Tensor[] parts = Ops.chunk(both, 2, -1);
        return Ops.mul(Ops.silu(parts[0]), parts[1]);
    }

    @Override
    public void close() {
        qkv.close();
        proj.close();
        in.close();
        out.close();
        if (norm1 != null) {
            norm1.close();
            norm2.close();
        }
    }
}
