package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.distill.loss.ConfidenceMask;
import dev.retort.train.Loss;
import java.util.Map;

/**
 * By how much an image counts for the sake of how sure the teacher is of it: confidence to the power {@code power}, nothing up to
 * {@code threshold}.
 *
 * @param threshold confidence, 0..1, up to which an image counts for nothing
 * @param power 0 for a mask of ones and zeros
 */
public record Confidence(double threshold, double power) {
    /** Validates. */
    public Confidence {
        Require.that(threshold >= 0 && threshold < 1, "threshold", threshold, "0 or more, and below 1");
        Require.atLeast("power", power, 0);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("threshold", 0, "power", 1);
    }

    /** A loss of which so much counts. */
    Loss mask(Loss loss, String teacher) {
        return new ConfidenceMask(loss, teacher, threshold, power);
    }
}
