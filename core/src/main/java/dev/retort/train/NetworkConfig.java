package dev.retort.train;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.data.ImageSource;
import dev.retort.error.RetortException;
import java.util.Optional;
import tools.jackson.databind.annotation.JsonTypeIdResolver;

/**
 * The network of a run, as far as a person decides it; image size, channels and classes come from the data. A configuration
 * says by {@code type} which record it is: {@code dit}, which may be left out, {@code text-to-image}, {@code cut}, {@code like}, or a user's own by the name of its class.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.CUSTOM, property = "type", defaultImpl = DitConfig.class)
@JsonTypeIdResolver(NetworkType.class)
public interface NetworkConfig {
    /**
     * The network for images like the source's.
     *
     * @param field where this configuration stands, such as {@code model}, for the error
     * @param learnSigma whether variance channels are predicted as well
     * @throws RetortException of kind CONFIG when the images do not go with it
     */
    NetworkSpec spec(String field, ImageSource source, boolean learnSigma);

    /**
     * The student of a teacher for images like the source's; by default the same as without one.
     *
     * @param teacher what it is distilled from
     * @throws RetortException as {@link #spec(String, ImageSource, boolean)}
     */
    default NetworkSpec spec(String field, NetworkSpec teacher, ImageSource source, boolean learnSigma) {
        return spec(field, source, learnSigma);
    }

    /** How the network is told texts, made of the images' captions; empty where it is told none. The same images give the same. */
    default Optional<TextCard> text(ImageSource source) {
        return Optional.empty();
    }

    /** Share of conditions dropped in training; above 0 only where the network can be asked without one. */
    double dropout();
}
