package dev.retort.train;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** What moves parameters along their gradients. */
public interface Optimizer extends AutoCloseable {
    /** Moves these parameters as well from now on, of which it remembers nothing yet. */
    void add(Map<String, Tensor> parameters);

    /** Moves parameters of these names no longer, and forgets what it remembers of them. */
    void remove(Collection<String> names);

    /** Goes on with other settings; what it remembers stays. */
    void configure(OptimizerConfig config);

    /** One step at a learning rate; gradients are used as they are, parameters without one stay. */
    void step(double rate);

    /** Scales all gradients so that their joint norm is at most the settings' limit; returns the norm before. */
    double clip();

    /**
     * Drops all gradients. What the next backward pass does not reach then has none and is not moved, neither by momentum
     * nor by weight decay, before and after a restart alike.
     */
    void dropGradients();

    /** Names of the parameters that no backward pass has reached yet. */
    List<String> unreached();

    /** What it remembers, by name. */
    Map<String, Tensor> state();

    /** Forgets all it remembers. */
    void reset();

    @Override
    void close();
}
