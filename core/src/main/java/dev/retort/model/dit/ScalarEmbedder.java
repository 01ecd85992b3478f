package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.diffusion.step.GuidanceEmbedding;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.Sinusoids;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/** A number → [sin(x·f) ‖ cos(x·f)] → Linear, SiLU, Linear, the last one zero at first; features fp32. */
final class ScalarEmbedder extends Layer {
    private final double[] frequencies;
    private final Linear first;
    private final Linear second;

    private ScalarEmbedder(Init init, double[] frequencies, int hidden) {
        this.frequencies = frequencies;
        first = child("mlp.0", Linear.xavier(init.at("mlp.0"), 2L * frequencies.length, hidden));
        second = child("mlp.2", Linear.zero(init.at("mlp.2"), hidden, hidden));
    }

    /** Of a scale of guidance. */
    static ScalarEmbedder ofGuidance(Init init, int hidden) {
        return new ScalarEmbedder(init, new GuidanceEmbedding(DitSpec.TIME_FEATURES).frequencies(), hidden);
    }

    /**
     * Of a time at which a call is to land. Losses differentiate by it, so it is smooth: over the whole way from noise to image the
     * fastest sine turns eight times, where that of {@link TimestepEmbedder} turns a hundred and sixty times.
     *
     * @param unit the time at pure noise
     */
    static ScalarEmbedder ofEndTime(Init init, double unit, int hidden) {
        double[] frequencies = new double[DitSpec.END_TIME_FEATURES / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.PI * (i + 1) / unit;
        }
        return new ScalarEmbedder(init, frequencies, hidden);
    }

    /** (N) → (N, hidden). */
    Tensor forward(Tensor value) {
        return second.forward(Ops.silu(first.forward(Sinusoids.of(value, frequencies, false))));
    }
}
