package dev.retort.train;

/**
 * A number of a loss that changes: a pure function of where the run stands, or of an image.
 *
 * @param from at the start
 * @param to at the end
 * @param curve the way between
 * @param over what start and end are of
 */
public record Ramp(double from, double to, Curve curve, Span over) {
    /** The way from start to end. */
    public enum Curve {
        /** A straight line. */
        LINEAR,
        /** Half a wave of a cosine: level at both ends. */
        COSINE
    }

    /** What a ramp runs over. */
    public enum Span {
        /** The stage it stands in. */
        STAGE,
        /** The whole run. */
        RUN,
        /** From the clean image to the noisiest time: each image has the number of its own time. */
        NOISE,
        /** From images of which a teacher is unsure to those of which it is sure, each its own. */
        CONFIDENCE
    }

    /** On a straight line over a stage. */
    public Ramp(double from, double to) {
        this(from, to, Curve.LINEAR, Span.STAGE);
    }

    /** Whether images of one step differ in it. */
    public boolean byImage() {
        return over == Span.NOISE || over == Span.CONFIDENCE;
    }

    /** The number at a time of the run; an {@link IllegalStateException} where it is one of each image. */
    public double at(Clock clock) {
        if (byImage()) {
            throw new IllegalStateException("this number is one of each image, over " + over);
        }
        return at(over == Span.STAGE ? clock.stage() : clock.run());
    }

    /** The number at a share 0..1 of the way. */
    public double at(double share) {
        return from + (to - from) * (curve == Curve.LINEAR ? share : (1 - Math.cos(Math.PI * share)) / 2);
    }
}
