package dev.retort.pipeline;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.WeightLayout;
import dev.retort.model.Conditioner;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.Staging;
import dev.retort.nn.Init;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** The architectures there are: those of the library, listed here and nowhere else, and a user's own. */
public final class Architectures {
    private static final List<Architecture<?>> KNOWN = List.of(
            new DitArchitecture(), new FoldedDitArchitecture(), new TextToImageArchitecture(), new UNetArchitecture());

    private Architectures() {}

    /**
     * The architecture of a network.
     *
     * @throws RetortException of kind ENVIRONMENT where nobody on the class path knows it
     */
    @SuppressWarnings("unchecked") // an architecture builds from the specs of its own class
    public static <S extends NetworkSpec> Architecture<S> of(S spec) {
        return (Architecture<S>) Stream.concat(KNOWN.stream(), own())
                .filter(architecture -> architecture.spec().isInstance(spec))
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.ENVIRONMENT,
                        "nothing here builds the network " + spec.name() + ", a "
                                + spec.getClass().getName()
                                + "; put the jar of its architecture on the class path, named in META-INF/services/"
                                + Architecture.class.getName()));
    }

    /** Looked for where none of the library's is meant: it opens every jar of the class path. */
    private static Stream<Architecture<?>> own() {
        return Stream.of(Architecture.class)
                .flatMap(type -> ServiceLoader.load(type).stream())
                .map(ServiceLoader.Provider::get);
    }

    /** A network with initial weights; open a scope first. */
    public static Network build(NetworkSpec spec, Init init) {
        return of(spec).build(spec, init);
    }

    /** What makes of prompts the conditions that a model's network is told. */
    public static Conditioner conditioner(ModelCard card) {
        return conditioner(card.network(), card.text(), card.images());
    }

    /**
     * What makes of prompts the conditions that a network is told.
     *
     * @param text the tokenizers of a model that is told texts, else null
     * @param pictures shape of what comes out in the end, in pixels, for networks that are told it
     */
    public static Conditioner conditioner(NetworkSpec spec, TextCard text, ImageShape pictures) {
        return of(spec).conditioner(spec, text, pictures);
    }

    /** A copy of a network, prepared for sampling. */
    public static Denoiser pack(Network network, Precision precision) {
        try (Scope scope = Scope.open();
                Staging staging = new Staging()) {
            NetworkSpec spec = network.spec();
            return of(spec).pack(spec, staging.copies(network.state()), network.device(), precision);
        }
    }

    /** What can be done with the trained weights of both networks, which must be of one architecture that allows it. */
    public static Surgery surgery(NetworkSpec from, NetworkSpec to) {
        if (from.folded()) {
            throw folded(from);
        }
        return of(from).surgery()
                .filter(surgery -> from.getClass() == to.getClass())
                .orElseThrow(() -> new RetortException(
                        Kind.CONFIG,
                        "weights of " + from.name() + " cannot be made into those of " + to.name()
                                + "; start from random ones, or choose networks of one architecture"));
    }

    /** The refusal of a network that is folded where one is wanted that answers at any time. */
    static RetortException folded(NetworkSpec spec) {
        return new RetortException(
                Kind.CHECKPOINT,
                spec.name()
                        + " answers at the times of its table alone: it can be sampled, but neither trained nor cut, and no"
                        + " loss can ask it; give the model that it was folded from");
    }

    /** The layouts of all programs whose files are known. */
    public static List<WeightLayout<?>> layouts() {
        List<WeightLayout<?>> layouts = new ArrayList<>();
        KNOWN.forEach(architecture -> layouts.addAll(architecture.layouts()));
        return layouts;
    }

    /** The layout of a name that a network can be written in, if there is one. */
    public static Optional<WeightLayout<?>> layout(NetworkSpec spec, String id) {
        return of(spec).layouts().stream()
                .filter(layout -> layout.id().equals(id))
                .<WeightLayout<?>>map(layout -> layout)
                .findFirst();
    }

    /** Opens what another program wrote; {@link WeightLayout#open} of whatever layout it is in. */
    public static Checkpoint open(Path path, Hints hints) {
        // a layout claims for its architecture, so one of each is asked: to ask opens a file
        return KNOWN.stream()
                .flatMap(architecture -> architecture.layouts().stream().limit(1))
                .filter(layout -> layout.claims(path))
                .findFirst()
                .<WeightLayout<?>>map(layout -> layout)
                .orElseGet(() -> layouts().get(0))
                .open(path, hints);
    }
}
