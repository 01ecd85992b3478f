package dev.retort.quantize;

import dev.retort.config.Require;
import java.util.Map;

/**
 * How far the quantised network may be from its origin; the layers that do most harm keep their bits until it is not further.
 *
 * @param output error of the network's output relative to the output, over all steps; 0 for any
 * @param sample error of what is sampled from the same noise, relative to it; 0 for any
 */
public record BudgetConfig(double output, double sample) {
    /** Validates. */
    public BudgetConfig {
        Require.atLeast("output", output, 0);
        Require.atLeast("sample", sample, 0);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("output", 0, "sample", 0);
    }

    /** Whether it holds. */
    boolean holds(Errors errors) {
        return (output == 0 || errors.output() <= output) && (sample == 0 || errors.sample() <= sample);
    }
}
