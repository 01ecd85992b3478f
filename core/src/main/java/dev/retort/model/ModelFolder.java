package dev.retort.model;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.SafetensorsFile;
import dev.retort.io.SafetensorsWriter;
import dev.retort.model.dit.Dit;
import dev.retort.model.dit.DitInference;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A model on disk: a folder with {@code model.safetensors} and its card {@code model.json}. */
public final class ModelFolder {
    /** The weights' file name. */
    public static final String WEIGHTS = "model.safetensors";
    /** The card's file name. */
    public static final String CARD = "model.json";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private ModelFolder() {}

    /** A loaded model: the network, frozen, and its card. */
    public record Loaded(Network network, ModelCard card) implements AutoCloseable {
        @Override
        public void close() {
            network.close();
        }
    }

    /** Writes a model, whole or not at all, its floating-point values in {@code dtype}. */
    public static void save(Path folder, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        AtomicWrite.folder(folder, inside -> write(inside, weights, card, dtype));
    }

    /** Writes the two files into a folder that is itself being written. */
    public static void write(Path inside, Map<String, Tensor> weights, ModelCard card, Dtype dtype) {
        writer(weights, dtype).metadata("format", "pt").write(inside.resolve(WEIGHTS));
        AtomicWrite.text(inside.resolve(CARD), JSON.writeValueAsString(card) + "\n");
    }

    /** A writer over tensors, which must live until it has written. */
    public static SafetensorsWriter writer(Map<String, Tensor> tensors, Dtype dtype) {
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, tensor) -> writer.add(
                name, dev.retort.io.Dtype.valueOf(dtype.name()), Tensors.shape(tensor), () -> bytes(tensor, dtype)));
        return writer;
    }

    private static ByteBuffer bytes(Tensor tensor, Dtype dtype) {
        try (Scope scope = Scope.open()) {
            ByteBuffer view = Tensors.view(Tensors.plain(dtype.cast(tensor)));
            return ByteBuffer.allocate(view.remaining())
                    .order(view.order())
                    .put(view)
                    .flip();
        }
    }

    /** Every tensor of a safetensors file, in fp32 where it is floating point; open a scope first. */
    public static Map<String, Tensor> read(Path file, Device device) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            opened.entries().forEach((name, entry) -> {
                Dtype dtype = Dtype.valueOf(entry.dtype().name());
                Tensor tensor = Tensors.of(opened.data(name), dtype, device, entry.shape());
                tensors.put(name, dtype == Dtype.F16 || dtype == Dtype.BF16 ? Dtype.F32.cast(tensor) : tensor);
            });
        }
        return tensors;
    }

    /** The card alone. */
    public static ModelCard card(Path folder) {
        Path file = folder.resolve(CARD);
        if (!Files.isReadable(file)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    folder + " is not a model: it has no readable " + CARD
                            + "; give a run folder, a checkpoint or a folder written by 'retort train' or 'retort distill'");
        }
        try {
            JsonNode read = JSON.readTree(Files.readString(file));
            if (read instanceof ObjectNode fields && !fields.has("autoencoder")) {
                fields.putNull("autoencoder"); // cards written before there were latents have none
            }
            ModelCard card = JSON.treeToValue(read, ModelCard.class);
            if (card.format() != ModelCard.FORMAT) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file + " has format " + card.format() + ", this program reads " + ModelCard.FORMAT
                                + "; use the version that wrote it");
            }
            String hash = card.process().noiseSchedule().hash();
            if (!hash.equals(card.scheduleHash())) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file + " was trained on a schedule with hash " + card.scheduleHash() + ", but "
                                + card.process().schedule() + " here has " + hash
                                + "; it would sample wrongly with this version");
            }
            return card;
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " cannot be read as a model card ("
                            + e.getMessage().lines().findFirst().orElse("") + "); restore it or train again",
                    e);
        }
    }

    /** Loads a model for evaluation: weights in fp32, frozen. */
    public static Loaded load(Path folder, Device device) {
        ModelCard card = card(folder);
        Network network;
        try (Scope scope = Scope.open()) {
            network = new Dit(card.network(), Init.blank(device));
            fill(network, folder.resolve(WEIGHTS), device);
        }
        network.freeze();
        return new Loaded(network, card);
    }

    /** Loads a model for sampling: weights prepared once for the precision, the originals freed. */
    public static Loaded loadForSampling(Path folder, Device device, Precision precision) {
        try (Loaded loaded = load(folder, device)) {
            return new Loaded(new DitInference((Dit) loaded.network(), precision), loaded.card());
        }
    }

    /** Loads weights into a layer; what does not fit is an error that names it, and nothing is changed. */
    public static void fill(Layer layer, Path file, Device device) {
        try (Scope scope = Scope.open()) {
            List<String> problems = layer.load(read(file, device));
            if (!problems.isEmpty()) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file + " belongs to another architecture: "
                                + String.join(", ", problems.stream().limit(3).toList())
                                + (problems.size() > 3 ? " and " + (problems.size() - 3) + " more" : "")
                                + "; use the configuration it was trained with");
            }
        }
    }

    /** SHA-256 of the weights' file, in hex. */
    public static String sha256(Path folder) {
        try (var in = Files.newInputStream(folder.resolve(WEIGHTS))) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new RetortException(
                    Kind.CHECKPOINT, folder.resolve(WEIGHTS) + " cannot be read (" + e.getMessage() + ")", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
