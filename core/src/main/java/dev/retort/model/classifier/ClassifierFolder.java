package dev.retort.model.classifier;

import dev.retort.card.ClassifierCard;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A classifier on disk: a folder with {@code model.safetensors} in half precision and its card {@code classifier.json}. */
public final class ClassifierFolder {
    /** The card's file name. */
    public static final String CARD = "classifier.json";

    private static final CardFile<ClassifierCard> CARD_FILE = new CardFile<>(
            ClassifierCard.class,
            CARD,
            "a classifier",
            ClassifierCard.FORMAT,
            Kind.CHECKPOINT,
            "give a folder written by 'retort train-classifier'",
            "train again");

    private static final OwnFiles FILES = new OwnFiles(
            "a classifier", CARD, Pattern.compile(Pattern.quote(ModelFolder.WEIGHTS) + "|" + Pattern.quote(CARD)));

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

    /** Refuses, before long work, a folder that {@link #save} would not replace: one that holds more than a classifier. */
    public static void requireReplaceable(Path folder) {
        FILES.requireReplaceable(folder);
    }

    /**
     * Writes a classifier in half precision, whole or not at all. A classifier that was there is replaced; a folder that
     * holds anything else is refused.
     */
    public static void save(Path folder, ConvClassifier network, ClassifierCard card) {
        AtomicWrite.folder(folder, FILES, inside -> {
            ModelFolder.writer(network.state(), Dtype.F16)
                    .metadata("format", "pt")
                    .write(inside.resolve(ModelFolder.WEIGHTS));
            CARD_FILE.write(inside, card);
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
        return CARD_FILE.read(folder);
    }
}
