package dev.retort.train;

import dev.retort.config.Require;

/**
 * A training run.
 *
 * @param images training images to see
 * @param model the network
 * @param objective what it is trained to do
 * @param run everything that any run has
 */
public record TrainConfig(long images, DitConfig model, Objective objective, RunConfig run) {
    /** Validates. */
    public TrainConfig {
        Require.atLeast("images", images, 1);
    }
}
