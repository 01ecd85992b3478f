package dev.retort.distill;

import dev.retort.config.Require;
import dev.retort.train.Ramp;
import java.util.Map;

/**
 * By how much distributions are widened before they are compared. A recipe may write a number for a constant one.
 *
 * @param from at the start, above 0
 * @param to at the end, above 0
 * @param curve the way between: {@code linear} or {@code cosine}
 * @param over what start and end are of: the {@code stage}, the whole {@code run}, the {@code noise}, or the teacher's
 *     {@code confidence}, from images of which it is unsure to those of which it is sure
 */
public record Temperature(double from, double to, Ramp.Curve curve, Ramp.Span over) {
    /** Validates. */
    public Temperature {
        Require.positive("from", from);
        Require.positive("to", to);
    }

    /** A constant temperature. */
    public static Temperature of(double temperature) {
        return new Temperature(temperature, temperature, Ramp.Curve.LINEAR, Ramp.Span.STAGE);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("from", 1, "to", 1, "curve", Ramp.Curve.LINEAR, "over", Ramp.Span.STAGE);
    }

    /** As a ramp. */
    Ramp ramp() {
        return new Ramp(from, to, curve, over);
    }
}
