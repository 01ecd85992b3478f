package dev.retort.pipeline;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.QuantizationSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.DownloadListener;
import dev.retort.hub.Hub;
import dev.retort.io.FileHash;
import dev.retort.io.TensorFile;
import dev.retort.layout.Checkpoint;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.PipelineFolder;
import dev.retort.layout.QuantizedFile;
import dev.retort.layout.WeightedLora;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.model.QuantizedSource;
import dev.retort.model.Staging;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.WeightSource;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Tensor;

/** Models on disk: folders of ours and what other programs wrote, read alike. */
public final class Models {
    private Models() {}

    /** The card alone; for another program's checkpoint, what its files tell. */
    public static ModelCard card(Path folder) {
        if (isForeign(folder)) {
            try (Checkpoint checkpoint = Architectures.open(folder, Hints.NONE)) {
                return checkpoint.card();
            }
        }
        return ModelFiles.card(folder);
    }

    /**
     * The model to load for what a user gave: a model folder, a run's result, a run's newest checkpoint, another program's
     * file or folder, which is opened when it is loaded, or {@code hf:OWNER/NAME}, which is fetched where it is not cached.
     *
     * @param listener is told what is fetched
     * @throws RetortException of kind CHECKPOINT where there is no model
     */
    public static Path locate(String given, DownloadListener listener) {
        Path place = Hub.locate(given, listener);
        return located(place, RunFolder.own(place), listener);
    }

    /**
     * The model to be sampled in a number of steps: of a run that kept the best weights for so many, these.
     *
     * @param steps empty for as many as the model's card says
     */
    public static Path locate(String given, OptionalInt steps, DownloadListener listener) {
        Path place = Hub.locate(given, listener);
        Optional<Path> own = RunFolder.own(place, steps);
        own.filter(folder -> !folder.equals(RunFolder.own(place).orElseThrow()))
                .ifPresent(best ->
                        listener.say("the weights that were best in so many steps are taken: " + best.getFileName()));
        return located(place, own, listener);
    }

    private static Path located(Path place, Optional<Path> own, DownloadListener listener) {
        own.filter(folder -> folder.startsWith(new RunFolder(place).checkpoints()))
                .ifPresent(checkpoint -> listener.say("the run " + place
                        + " has no result yet, so its newest checkpoint is taken: " + checkpoint.getFileName()));
        return own.orElseGet(() -> {
            if (PipelineFolder.mayHoldNetwork(place)) {
                return place;
            }
            throw new RetortException(
                    Kind.CHECKPOINT,
                    place + (Files.exists(place) ? " holds no model" : " does not exist")
                            + "; give a run folder, a checkpoint, a model folder with " + ModelFiles.CARD
                            + ", or another program's file (.pt, .ckpt, .safetensors) or diffusers folder");
        });
    }

    /** Whether another program wrote what lies there. */
    static boolean isForeign(Path folder) {
        return !Files.exists(folder.resolve(ModelFiles.CARD)) && PipelineFolder.mayHoldNetwork(folder);
    }

    /** Loads a model whose insides are looked at or trained on: weights in fp32, frozen. */
    public static Pipeline<Network> load(Path folder, Device device) {
        return load(folder, List.of(), device);
    }

    /** The same with adapters merged into its weights, which are added up. */
    public static Pipeline<Network> load(Path folder, List<WeightedLora> adapters, Device device) {
        return pipeline(
                folder, adapters, (spec, quantization, parameters) -> network(spec, quantization, parameters, device));
    }

    /** Opens a model for sampling: each weight is prepared for the precision as it is read, so none is held twice. */
    public static Pipeline<Denoiser> open(Path folder, Device device, Precision precision) {
        return open(folder, List.of(), device, precision);
    }

    /** The same with adapters, which are added up and merged into each weight as it is read. */
    public static Pipeline<Denoiser> open(
            Path folder, List<WeightedLora> adapters, Device device, Precision precision) {
        return pipeline(
                folder,
                adapters,
                (spec, quantization, parameters) -> packed(spec, quantization, parameters, device, precision));
    }

    private static <N extends Denoiser> Pipeline<N> pipeline(
            Path folder, List<WeightedLora> adapters, Opening<N> opening) {
        try (StoredModel stored = StoredModel.open(folder);
                Adaptation adaptation = new Adaptation(stored.card(), folder, adapters)) {
            ModelCard card = adaptation.card();
            List<String> notes = new ArrayList<>(stored.notes());
            notes.addAll(adaptation.notes());
            return new Pipeline<>(
                    opening.network(card.network(), card.quantization(), adaptation.of(stored.parameters())),
                    card,
                    notes);
        }
    }

    /** Makes a network of its weights. */
    @FunctionalInterface
    private interface Opening<N> {
        /** @param quantization how they are quantised; null where they are floats */
        N network(NetworkSpec spec, QuantizationSpec quantization, TensorFile parameters);
    }

    /**
     * Builds a network and loads it: weights in fp32, frozen.
     *
     * @param parameters its weights under its own names; what does not fit is an error that lists it
     */
    public static Network network(NetworkSpec spec, TensorFile parameters, Device device) {
        return network(spec, null, parameters, device);
    }

    /** The same of weights that may be quantised, which are widened: what its layers are given is rounded in sampling alone. */
    private static Network network(
            NetworkSpec spec, QuantizationSpec quantization, TensorFile parameters, Device device) {
        Network network;
        try (Scope scope = Scope.open()) {
            network = Architectures.build(spec, Init.blank(device));
            if (quantization == null) {
                Weights.fill(network, parameters);
            } else {
                Map<String, Tensor> state = network.state();
                QuantizedFile.fit(Weights.shapes(state), parameters, quantization);
                try (Staging staging = new Staging()) {
                    Weights.copy(source(parameters, quantization, device, staging), state);
                }
            }
        }
        network.freeze();
        return network;
    }

    /** The same prepared for sampling. */
    public static Denoiser packed(NetworkSpec spec, TensorFile parameters, Device device, Precision precision) {
        return packed(spec, null, parameters, device, precision);
    }

    /**
     * The same of weights that may be quantised.
     *
     * @param quantization how; null where they are floats
     */
    public static Denoiser packed(
            NetworkSpec spec,
            QuantizationSpec quantization,
            TensorFile parameters,
            Device device,
            Precision precision) {
        Architecture<NetworkSpec> architecture = Architectures.of(spec);
        QuantizedFile.fit(architecture.parameters(spec), parameters, quantization);
        if (quantization != null) {
            requireExact(quantization, device, parameters.path());
        }
        try (Scope scope = Scope.open();
                Staging staging = new Staging()) {
            return architecture.pack(spec, source(parameters, quantization, device, staging), device, precision);
        }
    }

    private static WeightSource source(
            TensorFile parameters, QuantizationSpec quantization, Device device, Staging staging) {
        WeightSource stored = Weights.source(parameters, device, staging);
        return quantization == null ? stored : new QuantizedSource(stored, quantization);
    }

    /** Sums that saturate would be wrong without a word. */
    private static void requireExact(QuantizationSpec quantization, Device device, Path file) {
        if (quantization.multipliesIntegers()
                && quantization.isa() == QuantizationSpec.Isa.VNNI
                && !device.isCuda()
                && IntegerProduct.possible()
                && IntegerProduct.saturates()) {
            throw new RetortException(
                    Kind.ENVIRONMENT,
                    file + " has 8-bit weights for CPUs with VNNI or AMX, which this one has not: its products would"
                            + " saturate; quantise the model with isa any, whose weights have 7 bits");
        }
    }

    /** SHA-256 of the weights' files, in hex. */
    public static String sha256(Path folder) {
        if (!isForeign(folder)) {
            return ModelFiles.sha256(folder);
        }
        try (Checkpoint checkpoint = Architectures.open(folder, Hints.NONE)) {
            return FileHash.sha256(checkpoint.weights().files());
        }
    }
}
