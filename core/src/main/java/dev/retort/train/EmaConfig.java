package dev.retort.train;

import dev.retort.config.Require;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * Moving averages of the weights.
 *
 * @param decays full decays; the first one is what is sampled and exported
 * @param warmup how a decay rises to its full value
 * @param delayImages images until which an average is a copy of the weights; the warm-up begins after them
 */
public record EmaConfig(List<Double> decays, EmaWarmup warmup, long delayImages) {
    /** Validates. */
    public EmaConfig {
        Require.notEmpty("decays", decays);
        for (double decay : decays) {
            Require.between("decays", decay, 0, 0.9999999);
        }
        Require.atLeast("delayImages", delayImages, 0);
    }

    /** Averages from the first image on, with the usual warm-up. */
    public EmaConfig(List<Double> decays) {
        this(decays, new EmaWarmup.Inverse(), 0);
    }

    /** What a configuration may leave out: one average over about a thousand steps. */
    public static Map<String, ?> defaults() {
        return Map.of("decays", List.of(0.999), "warmup", new EmaWarmup.Inverse(), "delayImages", 0);
    }

    /**
     * An average of weights.
     *
     * @param batch images of an update
     */
    Ema average(double decay, int batch, Supplier<Map<String, Tensor>> source) {
        return new Ema(decay, warmup, (delayImages + batch - 1) / batch, source);
    }
}
