package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.Rng;
import java.util.Map;

/**
 * Scales of guidance, standard form, of which one is drawn for each image: the network that learns is told it.
 *
 * @param from the smallest, 1 for none
 * @param to the largest
 */
public record GuidanceRange(double from, double to) {
    /** Validates. */
    public GuidanceRange {
        Require.atLeast("from", from, 0);
        Require.atLeast("to", to, from);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("from", 1);
    }

    /** One of them, each as likely. */
    public double sample(Rng rng) {
        return from + (to - from) * rng.nextDouble();
    }

    /** Whether a scale is one of them. */
    boolean contains(double scale) {
        return scale >= from && scale <= to;
    }

    @Override
    public String toString() {
        return from + " to " + to;
    }
}
