package dev.retort.train;

import dev.retort.nn.Taps;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/** One part of a stage's loss: a pure function of what the network in training said about a batch. */
public interface LossTerm extends AutoCloseable {
    /** Name in logs and recipes. */
    String name();

    /** Intermediates of the network in training that this term needs. */
    default Set<String> taps() {
        return Set.of();
    }

    /** Parameters of its own that are trained along (connectors), by name; dropped with the term. */
    default Map<String, Tensor> parameters() {
        return Map.of();
    }

    /**
     * The loss of each sample.
     *
     * @param output the network's output (N, C', H, W), fp32
     * @param taps its intermediates
     * @return (N), fp32, with graph
     */
    Tensor perSample(Tensor output, Taps taps, NoisyBatch batch);

    @Override
    default void close() {}
}
