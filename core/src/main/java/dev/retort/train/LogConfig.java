package dev.retort.train;

import dev.retort.config.Require;
import java.util.List;
import java.util.Map;

/**
 * What a run writes, and how often; and what is expected of it.
 *
 * @param everyImages images between log lines
 * @param sampleImages images between sample grids, and between losses on images that are not learned; 0 for none
 * @param samplesPerClass samples of each class in a grid
 * @param checkpointImages images between checkpoints
 * @param expect where logged values lay in earlier runs; a value outside is told
 * @param stopOutside whether a value outside ends the run, saved
 */
public record LogConfig(
        long everyImages,
        long sampleImages,
        int samplesPerClass,
        long checkpointImages,
        List<Band> expect,
        boolean stopOutside) {
    /** Validates. */
    public LogConfig {
        Require.atLeast("everyImages", everyImages, 1);
        Require.atLeast("sampleImages", sampleImages, 0);
        Require.atLeast("samplesPerClass", samplesPerClass, 1);
        Require.atLeast("checkpointImages", checkpointImages, 1);
    }

    /** Nothing is expected. */
    public LogConfig(long everyImages, long sampleImages, int samplesPerClass, long checkpointImages) {
        this(everyImages, sampleImages, samplesPerClass, checkpointImages, List.of(), false);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of(
                "everyImages",
                6400,
                "sampleImages",
                64_000,
                "samplesPerClass",
                10,
                "checkpointImages",
                64_000,
                "expect",
                List.of(),
                "stopOutside",
                false);
    }
}
