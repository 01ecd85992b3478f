package dev.retort.train;

/**
 * A loss with its weight, constant or ramped linearly.
 *
 * @param loss the loss
 * @param from weight at the start
 * @param to weight at the end
 * @param over what start and end are of
 */
public record Weighted(Loss loss, double from, double to, Span over) {
    /** What a ramp runs over. */
    public enum Span {
        /** The stage it stands in. */
        STAGE,
        /** The whole run. */
        RUN
    }

    /** Ramped over its stage. */
    public Weighted(Loss loss, double from, double to) {
        this(loss, from, to, Span.STAGE);
    }

    /** The weight at a time. */
    public double at(Clock clock) {
        return from + (to - from) * (over == Span.STAGE ? clock.stage() : clock.run());
    }
}
