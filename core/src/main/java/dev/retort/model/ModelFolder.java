package dev.retort.model;

import dev.retort.card.DitConvention;
import dev.retort.card.ModelCard;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.FileHash;
import dev.retort.io.OwnFiles;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.model.dit.Dit;
import dev.retort.model.dit.DitCheckpoint;
import dev.retort.model.dit.DitHints;
import dev.retort.model.dit.DitInference;
import dev.retort.model.dit.DitLayout;
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
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.databind.node.ObjectNode;

/** A model on disk: a folder with {@code model.safetensors} and its card {@code model.json}. */
public final class ModelFolder {
    /** The weights' file name. */
    public static final String WEIGHTS = "model.safetensors";
    /** The card's file name. */
    public static final String CARD = "model.json";

    private static final CardFile<ModelCard> CARD_FILE = new CardFile<>(
            ModelCard.class,
            CARD,
            "a model",
            ModelCard.FORMAT,
            Kind.CHECKPOINT,
            "give a run folder, a checkpoint or a folder written by 'retort train' or 'retort distill'",
            "train again");

    private static final OwnFiles FILES =
            new OwnFiles("a model", CARD, Pattern.compile(Pattern.quote(WEIGHTS) + "|" + Pattern.quote(CARD)));

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

    /** Refuses, before long work, a folder that {@link #save} would not replace: one that holds more than a model. */
    public static void requireReplaceable(Path folder) {
        FILES.requireReplaceable(folder);
    }

    /**
     * Writes a model, whole or not at all, its floating-point values in {@code dtype}. A model that was there is replaced; a
     * folder that holds anything else is refused.
     */
    public static void save(Path folder, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        AtomicWrite.folder(folder, FILES, inside -> write(inside, weights, card, dtype));
    }

    /** Writes the two files into a folder that is itself being written. */
    public static void write(Path inside, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        writer(weights, dtype).metadata("format", "pt").write(inside.resolve(WEIGHTS));
        CARD_FILE.write(inside, card);
    }

    /**
     * A writer over tensors, which must live until it has written.
     *
     * @throws RetortException of kind USAGE where a value is beyond the range of the type
     */
    public static SafetensorsWriter writer(Map<String, Tensor> tensors, Dtype dtype) {
        Weights.requireFinite(tensors, dtype);
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, tensor) -> writer.add(
                name, dev.retort.io.Dtype.valueOf(dtype.name()), Tensors.shape(tensor), Weights.values(tensor, dtype)));
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
            try (DitCheckpoint checkpoint = DitCheckpoint.open(folder, DitHints.NONE)) {
                return checkpoint.card();
            }
        }
        ModelCard card = CARD_FILE.read(folder, ModelFolder::upgrade);
        String hash = card.process().noiseSchedule().hash();
        if (!hash.equals(card.scheduleHash())) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    folder.resolve(CARD) + " was trained on a schedule with hash " + card.scheduleHash() + ", but "
                            + card.process().schedule() + " here has " + hash
                            + "; it would sample wrongly with this version");
        }
        return card;
    }

    /** A card of format 1 says nothing of the forward's convention, which was the original's, or of latents, which it had not. */
    private static void upgrade(ObjectNode card) {
        if (card.path("format").asInt() == 1 && card.path("network") instanceof ObjectNode network) {
            network.set("convention", CardFile.tree(DitConvention.ORIGINAL));
            if (!card.has("autoencoder")) {
                card.putNull("autoencoder");
            }
            card.put("format", ModelCard.FORMAT);
        }
    }

    /** Whether another program wrote what lies there. */
    private static boolean isForeign(Path folder) {
        return !Files.exists(folder.resolve(CARD)) && DitCheckpoint.mayBe(folder);
    }

    /** Loads a model for evaluation: weights in fp32, frozen. */
    public static Loaded load(Path folder, Device device) {
        if (isForeign(folder)) {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(folder, DitHints.NONE)) {
                Dit network = checkpoint.load(device);
                network.freeze();
                return new Loaded(network, checkpoint.card(), checkpoint.notes());
            }
        }
        ModelCard card = card(folder);
        Network network;
        try (Scope scope = Scope.open()) {
            network = new Dit(card.network(), Init.blank(device));
            fill(network, folder.resolve(WEIGHTS));
        }
        network.freeze();
        return new Loaded(network, card, List.of());
    }

    /** Loads a model for sampling: each weight is prepared for the precision as it is read, so none is held twice. */
    public static Loaded loadForSampling(Path folder, Device device, Precision precision) {
        if (isForeign(folder)) {
            try (DitCheckpoint checkpoint = DitCheckpoint.open(folder, DitHints.NONE)) {
                return new Loaded(checkpoint.loadForSampling(device, precision), checkpoint.card(), checkpoint.notes());
            }
        }
        ModelCard card = card(folder);
        try (Scope scope = Scope.open();
                Staging staging = new Staging();
                TensorFile file = TensorFiles.open(folder.resolve(WEIGHTS))) {
            Fit.of(DitLayout.parameters(card.network()), file.entries()).require(file.path());
            return new Loaded(
                    new DitInference(card.network(), Weights.source(file, device, staging), device, precision),
                    card,
                    List.of());
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
        return FileHash.sha256(isForeign(folder) ? DitCheckpoint.files(folder) : List.of(folder.resolve(WEIGHTS)));
    }
}
