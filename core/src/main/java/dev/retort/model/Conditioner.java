package dev.retort.model;

import dev.retort.data.Prompts;
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

    @Override
    default void close() {}
}
