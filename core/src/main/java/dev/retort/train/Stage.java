package dev.retort.train;

import dev.retort.config.Require;
import java.util.List;

/**
 * A stretch of a run with fixed loss terms.
 *
 * @param name name in logs
 * @param images images seen in this stage
 * @param terms what is minimised
 */
public record Stage(String name, long images, List<Weighted> terms) {
    /**
     * A term with its weight, constant or ramped linearly over the stage.
     *
     * @param term the loss
     * @param from weight at the stage's start
     * @param to weight at its end
     */
    public record Weighted(LossTerm term, double from, double to) {
        /** The weight at a share of the stage, 0..1. */
        public double at(double progress) {
            return from + (to - from) * progress;
        }
    }

    /** Validates. */
    public Stage {
        Require.atLeast("images", images, 1);
        Require.notEmpty("terms", terms);
    }
}
