package dev.retort.model;

import dev.retort.data.Prompts;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.torch.Device;

/** Makes of prompts what a network is conditioned on. */
public interface Conditioner extends AutoCloseable {
    /**
     * The condition of each prompt, owned by the caller's scope.
     *
     * @throws dev.retort.error.RetortException of kind CONFIG where the prompts are not of the kind the network takes
     */
    Condition of(Prompts prompts, Device device);

    /**
     * "No condition" for some samples, owned by the caller's scope.
     *
     * @throws IllegalStateException where the network was not built to be asked without one
     */
    Condition none(int count, Device device);

    /**
     * The same for which another text stands for "no condition", so that guidance leads away from it: a negative prompt.
     *
     * @throws dev.retort.error.RetortException of kind CONFIG where the network is told no texts
     */
    default Conditioner withNegative(String text) {
        throw new RetortException(
                        Kind.CONFIG,
                        "this network takes classes, and the negative prompt \"" + text + "\" is a text; leave it out")
                .about("negative");
    }

    @Override
    default void close() {}
}
