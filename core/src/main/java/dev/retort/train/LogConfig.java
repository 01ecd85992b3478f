package dev.retort.train;

import dev.retort.config.Require;
import java.util.Map;

/**
 * What a run writes, and how often.
 *
 * @param everyImages images between log lines
 * @param sampleImages images between sample grids; 0 for none
 * @param samplesPerClass samples of each class in a grid
 * @param checkpointImages images between checkpoints
 */
public record LogConfig(long everyImages, long sampleImages, int samplesPerClass, long checkpointImages) {
    /** Validates. */
    public LogConfig {
        Require.atLeast("everyImages", everyImages, 1);
        Require.atLeast("sampleImages", sampleImages, 0);
        Require.atLeast("samplesPerClass", samplesPerClass, 1);
        Require.atLeast("checkpointImages", checkpointImages, 1);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("everyImages", 6400, "sampleImages", 64_000, "samplesPerClass", 10, "checkpointImages", 64_000);
    }
}
