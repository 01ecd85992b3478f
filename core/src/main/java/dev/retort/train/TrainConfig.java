package dev.retort.train;

import dev.retort.card.DitSpec;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;

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

    /** The network for the images; what does not go with them is refused. */
    public DitSpec network(ImageSource source) {
        objective.requireFit(source);
        return model.spec("model", source, objective.learnSigma());
    }
}
