package dev.retort.train;

import dev.retort.config.Require;

/**
 * At which steps a phase takes place, such as every fifth.
 *
 * @param period steps from one to the next, at least 1
 * @param offset first of them, 0..period-1
 * @param fromImages images of the run to be seen before
 */
public record Cadence(long period, long offset, long fromImages) {
    /** At every step. */
    public static final Cadence EVERY_STEP = every(1);

    /** Validates. */
    public Cadence {
        Require.atLeast("period", period, 1);
        Require.that(offset >= 0 && offset < period, "offset", offset, "0 to " + (period - 1));
        Require.atLeast("fromImages", fromImages, 0);
    }

    /** At the last of each {@code period} steps. */
    public static Cadence every(long period) {
        return new Cadence(period, period - 1, 0);
    }

    /** Whether a step is one of them. */
    public boolean isDue(Clock clock) {
        return clock.imagesSeen() >= fromImages && clock.step() % period == offset;
    }
}
