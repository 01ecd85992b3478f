package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.train.Ramp;
import java.util.Map;

/**
 * How much a loss of a stage counts. A recipe may write a number for a constant weight.
 *
 * @param from at the start
 * @param to at the end
 * @param curve the way between: {@code linear} or {@code cosine}
 * @param over what start and end are of: the {@code stage}, the whole {@code run}, or the {@code noise}, from clean images to the
 *     noisiest
 */
public record LossWeight(double from, double to, Ramp.Curve curve, Ramp.Span over) {
    /** The weight 1, which a recipe may leave out. */
    public static final LossWeight ONE = of(1);

    /** Validates. */
    public LossWeight {
        Require.atLeast("from", from, 0);
        Require.atLeast("to", to, 0);
        Require.that(
                over != Ramp.Span.CONFIDENCE,
                "over",
                "confidence",
                "stage, run or noise; what the teacher is sure of is weighed by the loss's field confidence");
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("from", 1, "to", 1, "curve", Ramp.Curve.LINEAR, "over", Ramp.Span.STAGE);
    }

    /** A constant weight. */
    public static LossWeight of(double weight) {
        return ramp(weight, weight);
    }

    /** A weight that runs from one value to another over its stage. */
    public static LossWeight ramp(double from, double to) {
        return new LossWeight(from, to, Ramp.Curve.LINEAR, Ramp.Span.STAGE);
    }

    /** As a ramp. */
    Ramp ramp() {
        return new Ramp(from, to, curve, over);
    }
}
