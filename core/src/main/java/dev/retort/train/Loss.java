package dev.retort.train;

import dev.retort.nn.Layer;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** What a phase minimises: a function of what the players say. It asks whom it likes, about whatever it likes. */
public interface Loss extends AutoCloseable {
    /** Name in logs and recipes. */
    String name();

    /**
     * Intermediates that it needs, by the name of the player that hands them out. They come with every answer of that player
     * in the phase, so that losses which ask the same question share its answer.
     */
    default Map<String, Set<String>> taps() {
        return Map.of();
    }

    /** Parts of its own that are trained along with the phase's player (connectors, heads), by name; dropped with the loss. */
    default Map<String, Layer> parts() {
        return Map.of();
    }

    /** Whether it compares the images of a batch with each other, so that the batch must not be cut into parts. */
    default boolean wholeBatch() {
        return false;
    }

    /** Whether it is about the images of a pass; not where it reads states that were kept of others. */
    default boolean asksAboutImages() {
        return true;
    }

    /**
     * The loss of each sample.
     *
     * @return (N), fp32, with graph
     */
    Tensor perSample(Pass pass);

    @Override
    default void close() {}
}
