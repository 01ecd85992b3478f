package dev.retort.train;

import dev.retort.nn.Layer;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;

/**
 * The weights with which a player begins a stage, where it does not go on with those it has. Its optimiser, its averages and
 * its guard then begin anew.
 */
@FunctionalInterface
public interface Start {
    /**
     * Writes the weights.
     *
     * @param network whose weights
     * @param weights gives those of any player by its name: its first moving average where it learns
     */
    void apply(Layer network, Function<String, Map<String, Tensor>> weights);

    /** Those of another player of the same shape. */
    static Start copyOf(String player) {
        return (network, weights) -> {
            List<String> problems = network.load(weights.apply(player));
            if (!problems.isEmpty()) {
                throw new IllegalStateException("no copy of " + player + " can be made: " + problems.get(0));
            }
        };
    }
}
