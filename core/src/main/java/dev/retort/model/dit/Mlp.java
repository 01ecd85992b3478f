package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** The feed-forward half of a block: fc2(gelu(fc1 x)), or SwiGLU w3(silu(a)·b) with (a, b) = w12 x; in two steps. */
final class Mlp extends Layer {
    private final boolean gated;
    private final Linear in;
    private final Linear out;

    Mlp(Init init, DitSpec spec) {
        gated = spec.modern();
        String first = gated ? "w12" : "fc1";
        String second = gated ? "w3" : "fc2";
        long hidden = spec.mlpHidden();
        in = child(first, Linear.xavier(init.at(first), spec.hidden(), gated ? 2 * hidden : hidden));
        out = child(second, Linear.xavier(init.at(second), hidden, spec.hidden()));
    }

    /** x (N, T, D) → (N, T, hidden of the MLP). */
    Tensor widen(Tensor x) {
        if (!gated) {
            return in.forwardGeluTanh(x);
        }
        Tensor[] parts = Ops.chunk(in.forward(x), 2, -1);
        return Ops.mul(Ops.silu(parts[0]), parts[1]);
    }

    /** wide (N, T, hidden of the MLP) → (N, T, D). */
    Tensor narrow(Tensor wide) {
        return out.forward(wide);
    }
}
