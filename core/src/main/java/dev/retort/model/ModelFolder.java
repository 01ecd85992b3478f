package dev.retort.model;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.error.RetortException;
import dev.retort.io.FileHash;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.DitCheckpoint;
import dev.retort.layout.DitLayout;
import dev.retort.layout.Fit;
import dev.retort.layout.Hints;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.PipelineFolder;
import dev.retort.model.dit.Dit;
import dev.retort.model.dit.DitInference;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Models between tensors and {@link ModelFiles}. */
public final class ModelFolder {
    private ModelFolder() {}

    /**
     * A loaded model.
     *
     * @param network the network, frozen
     * @param card what it is
     * @param notes which weights were taken of another program's file, and what was changed, a sentence each
     */
    public record Loaded(Network network, ModelCard card, List<String> notes) implements AutoCloseable {
        @Override
        public void close() {
            network.close();
        }
    }

    /** Writes a model as {@link ModelFiles#save} does, its floating-point values in {@code dtype}. */
    public static void save(Path folder, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        ModelFiles.save(folder, card, writer(weights, dtype));
    }

    /** Writes its two files into a folder that is itself being written. */
    public static void write(Path inside, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        ModelFiles.write(inside, card, writer(weights, dtype));
    }

    /**
     * A writer over tensors, which must live until it has written.
     *
     * @throws RetortException of kind USAGE where a value is beyond the range of the type
     */
    public static SafetensorsWriter writer(Map<String, Tensor> tensors, Dtype dtype) {
        Weights.requireFinite(tensors, dtype);
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, tensor) ->
                writer.add(name, dtype.stored(), Tensors.shape(tensor), Weights.values(tensor, dtype)));
        return writer;
    }

    /** Every tensor of a file, in fp32 where it is floating point; open a scope first. */
    public static Map<String, Tensor> read(Path file, Device device) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (TensorFile opened = TensorFiles.open(file)) {
            opened.entries().keySet().forEach(name -> tensors.put(name, Weights.tensor(opened, name, device)));
        }
        return tensors;
    }

    /** The card alone; for another program's checkpoint, what its files tell. */
    public static ModelCard card(Path folder) {
        if (isForeign(folder)) {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(folder, Hints.NONE)) {
                return checkpoint.card();
            }
        }
        return ModelFiles.card(folder);
    }

    /** Whether another program wrote what lies there. */
    private static boolean isForeign(Path folder) {
        return !Files.exists(folder.resolve(ModelFiles.CARD)) && PipelineFolder.mayHoldNetwork(folder);
    }

    /** Loads a model for evaluation: weights in fp32, frozen. */
    public static Loaded load(Path folder, Device device) {
        if (isForeign(folder)) {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(folder, Hints.NONE)) {
                return new Loaded(
                        network(checkpoint.spec(), checkpoint.parameters(), device),
                        checkpoint.card(),
                        checkpoint.notes());
            }
        }
        ModelCard card = card(folder);
        try (TensorFile file = TensorFiles.open(folder.resolve(ModelFiles.WEIGHTS))) {
            return new Loaded(network(card.network(), file, device), card, List.of());
        }
    }

    /**
     * Builds a network and loads it: weights in fp32, frozen.
     *
     * @param parameters its weights under its own names; what does not fit is an error that lists it
     */
    public static Network network(DitSpec spec, TensorFile parameters, Device device) {
        Network network;
        try (Scope scope = Scope.open()) {
            network = new Dit(spec, Init.blank(device));
            Weights.fill(network, parameters, List.of());
        }
        network.freeze();
        return network;
    }

    /** Loads a model for sampling: each weight is prepared for the precision as it is read, so none is held twice. */
    public static Loaded loadForSampling(Path folder, Device device, Precision precision) {
        if (isForeign(folder)) {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(folder, Hints.NONE)) {
                return new Loaded(
                        prepared(checkpoint.spec(), checkpoint.parameters(), device, precision),
                        checkpoint.card(),
                        checkpoint.notes());
            }
        }
        ModelCard card = card(folder);
        try (TensorFile file = TensorFiles.open(folder.resolve(ModelFiles.WEIGHTS))) {
            Fit.of(DitLayout.parameters(card.network()), file.entries()).require(file.path());
            return new Loaded(prepared(card.network(), file, device, precision), card, List.of());
        }
    }

    /** The same prepared for sampling; the parameters are taken to fit. */
    public static Network prepared(DitSpec spec, TensorFile parameters, Device device, Precision precision) {
        try (Scope scope = Scope.open();
                Staging staging = new Staging()) {
            return new DitInference(spec, Weights.source(parameters, device, staging), device, precision);
        }
    }

    /** Loads weights into a layer; what does not fit is an error that lists it, and nothing is changed. */
    public static void fill(Layer layer, Path file) {
        try (TensorFile opened = TensorFiles.open(file)) {
            Weights.fill(layer, opened, List.of());
        }
    }

    /** SHA-256 of the weights' files, in hex. */
    public static String sha256(Path folder) {
        if (!isForeign(folder)) {
            return ModelFiles.sha256(folder);
        }
        try (TensorFile file = TensorFiles.open(PipelineFolder.network(folder))) {
            return FileHash.sha256(file.files());
        }
    }
}
