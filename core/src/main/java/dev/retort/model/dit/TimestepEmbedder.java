package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.Sinusoids;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** Time → 256 features [cos(t·f) ‖ sin(t·f)], f_k = 10000^(-k/(128 - shift)), → Linear, SiLU, Linear; features fp32. */
final class TimestepEmbedder extends Layer {
    private final Linear first;
    private final Linear second;
    private final double shift;

    TimestepEmbedder(Init init, int hidden, double shift) {
        this.shift = shift;
        first = child("mlp.0", Linear.normal(init.at("mlp.0"), 0.02, DitSpec.TIME_FEATURES, hidden));
        second = child("mlp.2", Linear.normal(init.at("mlp.2"), 0.02, hidden, hidden));
    }

    /** time (N) → (N, hidden). */
    Tensor forward(Tensor time) {
        return second.forward(Ops.silu(first.forward(features(time, shift))));
    }

    /** time (N) → (N, 256), cosines first. */
    static Tensor features(Tensor time, double shift) {
        return Sinusoids.of(time, Sinusoids.frequencies(DitSpec.TIME_FEATURES / 2, shift), true);
    }
}
