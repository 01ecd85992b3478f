package dev.retort.train;

import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import java.util.Map;
import java.util.Optional;

/**
 * A training run.
 *
 * @param images training images to see
 * @param model the network
 * @param objective what it is trained to do
 * @param run everything that any run has
 */
public record TrainConfig(long images, NetworkConfig model, Objective objective, RunConfig run) {
    /** Validates. */
    public TrainConfig {
        Require.atLeast("images", images, 1);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("objective", Objective.Flow.PIXELS);
    }

    /** The network for the images; what does not go with them is refused. */
    public NetworkSpec network(ImageSource source) {
        objective.requireFit(source);
        return model.spec("model", source, objective.learnSigma());
    }

    /**
     * The same where it is known how it is told texts.
     *
     * @param text empty where it is told none
     */
    public NetworkSpec network(Optional<TextCard> text, ImageSource source) {
        objective.requireFit(source);
        return model.spec("model", text, source, objective.learnSigma());
    }
}
