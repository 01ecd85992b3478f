package dev.retort.model.classifier;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** A classifier on disk: a folder with {@code model.safetensors} in half precision and its card {@code classifier.json}. */
public final class ClassifierFolder {
    /** The card's file name. */
    public static final String CARD = "classifier.json";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private ClassifierFolder() {}

    /** A loaded classifier, frozen, and its card. */
    public record Loaded(ConvClassifier network, ClassifierCard card) implements AutoCloseable {
        @Override
        public void close() {
            network.close();
        }
    }

    /** Rounds the values to half precision in place, as {@link #save} writes them, so that what is measured is what is kept. */
    public static void roundToHalf(Layer layer) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            layer.state().values().forEach(tensor -> tensor.copy_(Dtype.F16.cast(tensor)));
        }
    }

    /** Writes a classifier in half precision, whole or not at all. */
    public static void save(Path folder, ConvClassifier network, ClassifierCard card) {
        AtomicWrite.folder(folder, inside -> {
            ModelFolder.writer(network.state(), Dtype.F16)
                    .metadata("format", "pt")
                    .write(inside.resolve(ModelFolder.WEIGHTS));
            AtomicWrite.text(inside.resolve(CARD), JSON.writeValueAsString(card) + "\n");
        });
    }

    /** Loads a classifier for evaluation: weights in fp32, frozen. */
    public static Loaded load(Path folder, Device device) {
        ClassifierCard card = card(folder);
        ConvClassifier network;
        try (Scope scope = Scope.open()) {
            network = new ConvClassifier(card.network(), Init.of(0, device));
            ModelFolder.fill(network, folder.resolve(ModelFolder.WEIGHTS));
        }
        network.freeze();
        return new Loaded(network, card);
    }

    /** The card alone. */
    public static ClassifierCard card(Path folder) {
        Path file = folder.resolve(CARD);
        if (!Files.isReadable(file)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    folder + " is not a classifier: it has no readable " + CARD
                            + "; give a folder written by 'retort train-classifier'");
        }
        try {
            ClassifierCard card = JSON.readValue(Files.readString(file), ClassifierCard.class);
            if (card.format() != ClassifierCard.FORMAT) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        file + " has format " + card.format() + ", this program reads " + ClassifierCard.FORMAT
                                + "; use the version that wrote it");
            }
            return card;
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " cannot be read as a classifier's card ("
                            + e.getMessage().lines().findFirst().orElse("") + "); restore it or train again",
                    e);
        }
    }
}
