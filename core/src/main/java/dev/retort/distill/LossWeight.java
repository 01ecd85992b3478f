package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.train.Weighted.Span;
import java.util.Map;

/**
 * How much a loss of a stage counts. A recipe may write a number for a constant weight.
 *
 * @param from at the start
 * @param to at the end, on a straight line between
 * @param over what start and end are of: the {@code stage} or the whole {@code run}
 */
public record LossWeight(double from, double to, Span over) {
    /** The weight 1, which a recipe may leave out. */
    public static final LossWeight ONE = of(1);

    /** Validates. */
    public LossWeight {
        Require.atLeast("from", from, 0);
        Require.atLeast("to", to, 0);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("from", 1, "to", 1, "over", Span.STAGE);
    }

    /** A constant weight. */
    public static LossWeight of(double weight) {
        return ramp(weight, weight);
    }

    /** A weight that runs from one value to another over its stage. */
    public static LossWeight ramp(double from, double to) {
        return new LossWeight(from, to, Span.STAGE);
    }
}
