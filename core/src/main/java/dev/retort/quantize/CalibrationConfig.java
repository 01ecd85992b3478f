package dev.retort.quantize;

import dev.retort.config.Require;
import java.util.Map;

/**
 * On which samples a model is watched before it is quantised.
 *
 * @param samples how many, the classes in turn
 * @param seed seed of their noises
 * @param trajectories a cache of trajectories whose states are taken instead of drawing new ones; empty for none
 */
public record CalibrationConfig(int samples, long seed, String trajectories) {
    /** Validates. */
    public CalibrationConfig {
        Require.atLeast("samples", samples, 1);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("samples", 32, "seed", 0, "trajectories", "");
    }
}
