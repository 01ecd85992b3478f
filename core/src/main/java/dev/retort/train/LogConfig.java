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
 * @param bestSteps numbers of steps, of those that the result is trained for, in each of which the weights that were best at a sample grid
 *     are kept as a model of their own, where there are two or more
 * @param expect where logged values lay in earlier runs; a value outside is told
 * @param stopOutside whether a value outside ends the run, saved
 */
public record LogConfig(
        long everyImages,
        long sampleImages,
        int samplesPerClass,
        long checkpointImages,
        List<Integer> bestSteps,
        List<Band> expect,
        boolean stopOutside) {
    private static final List<Integer> BEST_STEPS = List.of(8, 4, 2, 1);

    /** Validates. */
    public LogConfig {
        Require.atLeast("everyImages", everyImages, 1);
        Require.atLeast("sampleImages", sampleImages, 0);
        Require.atLeast("samplesPerClass", samplesPerClass, 1);
        Require.atLeast("checkpointImages", checkpointImages, 1);
        bestSteps.forEach(steps -> Require.atLeast("bestSteps", steps, 1));
    }

    /** Nothing is expected. */
    public LogConfig(long everyImages, long sampleImages, int samplesPerClass, long checkpointImages) {
        this(everyImages, sampleImages, samplesPerClass, checkpointImages, BEST_STEPS, List.of(), false);
    }

    /** Whether a run came by a multiple of so many images in its last step; never for 0. */
    static boolean isDue(long images, long before, long seen) {
        return images > 0 && seen / images > before / images;
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
                "bestSteps",
                BEST_STEPS,
                "expect",
                List.of(),
                "stopOutside",
                false);
    }
}
