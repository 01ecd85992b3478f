package dev.retort.train;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.retort.card.ModelCard;
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
     * The same where it is known how it is told texts; by default nothing follows from that.
     *
     * @param text as {@link #text} made it, or as a model says whose tokens the network is to know; empty where it is told none
     * @throws RetortException as {@link #spec(String, ImageSource, boolean)}, also where the texts do not go with it
     */
    default NetworkSpec spec(String field, Optional<TextCard> text, ImageSource source, boolean learnSigma) {
        return spec(field, source, learnSigma);
    }

    /**
     * The student of a teacher for images like the source's; by default one that is told the teacher's texts and otherwise the same as without one.
     *
     * @param teacher what it is distilled from
     * @throws RetortException as {@link #spec(String, ImageSource, boolean)}
     */
    default NetworkSpec spec(String field, ModelCard teacher, ImageSource source, boolean learnSigma) {
        return spec(field, Optional.ofNullable(teacher.text()), source, learnSigma);
    }

    /**
     * How a network from nothing is told texts, made of the images' captions; empty where it is told none. The same images give the same.
     *
     * @throws RetortException of kind DATA where the images have no captions
     */
    default Optional<TextCard> text(ImageSource source) {
        return Optional.empty();
    }

    /** Share of conditions dropped in training; above 0 only where the network can be asked without one. */
    double dropout();
}
