package dev.retort.pipeline;

import dev.retort.card.ImageShape;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.graph.Graph;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Conditioner;
import dev.retort.model.Denoiser;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.NetworkGraph;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * A kind of network: how it is built from its spec, and what can be done with it beyond what any network can. One of your own
 * is found where its class is named in {@code META-INF/services/dev.retort.pipeline.Architecture} on the class path, so that
 * every command and every process that a command starts knows it.
 *
 * @param <S> what its networks are
 */
public interface Architecture<S extends NetworkSpec> {
    /** The record that says what a network is; cards name it by its class where it is none of ours. */
    Class<S> spec();

    /** A network with initial weights; open a scope first. */
    Network build(S spec, Init init);

    /** The smallest network with the same input, output and conditions: next to no weights. */
    NetworkSpec minimal(S spec);

    /**
     * Names and shapes of the parameters and buffers, in the order of the network's state. By default those of a network that
     * is built for it.
     */
    default Map<String, long[]> parameters(S spec) {
        try (Scope scope = Scope.open();
                Network network = build(spec, Init.blank(Device.CPU))) {
            return Weights.shapes(network.state());
        }
    }

    /**
     * A network for sampling alone: as many of the weights as there are, each prepared as it comes. By default the network
     * itself, frozen.
     *
     * @param weights the {@link #parameters}, each asked for once
     * @param device where they live
     */
    default Denoiser pack(S spec, WeightSource weights, Device device, Precision precision) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Network network = build(spec, Init.blank(device));
            Weights.copy(weights, network.state());
            network.freeze();
            return network;
        }
    }

    /**
     * What its networks compute, for files that other programs run: inputs {@code x}, {@code time} and the parts of the condition in lower
     * case, or {@code x} and {@code row} of a folded one; weights under the names of {@link #parameters}.
     */
    default Graph graph(S spec) {
        try (Scope scope = Scope.open();
                Network network = build(spec, Init.blank(Device.CPU))) {
            return NetworkGraph.of(network, List.of());
        }
    }

    /**
     * What makes of prompts the conditions that its networks are told. By default the class and nothing else.
     *
     * @param text the tokenizers of a model that is told texts, else null
     * @param pictures shape of what comes out in the end, in pixels, for networks that are told it
     */
    default Conditioner conditioner(S spec, TextCard text, ImageShape pictures) {
        return new LabelConditioner(spec.condition());
    }

    /** Layers whose inputs can be divided channel by channel, exactly, by changing what comes before them. By default none. */
    default List<String> dividable(S spec) {
        return List.of();
    }

    /**
     * Divides the inputs of one of the layers that are {@link #dividable}.
     *
     * @param weights all of the network's, by name, in fp32; changed in place
     * @param layer its path; its own weight is the caller's to multiply
     * @param factors of each input (in)
     */
    default void divideInputs(S spec, Map<String, Tensor> weights, String layer, Tensor factors) {
        throw new IllegalArgumentException(spec.name() + " has no layer " + layer + " whose inputs could be divided");
    }

    /** How other programs' files name and cut its parameters; what is written by default stands first. */
    default List<WeightLayout<S>> layouts() {
        return List.of();
    }

    /** What can be done with its trained weights; empty where nothing can. */
    default Optional<Surgery> surgery() {
        return Optional.empty();
    }
}
