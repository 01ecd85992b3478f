package dev.retort.layout;

import dev.retort.card.ClassifierCard;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.io.SafetensorsWriter;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A classifier's folder: {@code model.safetensors} in half precision and its card {@code classifier.json}. */
public final class ClassifierFiles {
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
            "a classifier", CARD, Pattern.compile(Pattern.quote(ModelFiles.WEIGHTS) + "|" + Pattern.quote(CARD)));

    private ClassifierFiles() {}

    /** Refuses, before long work, a folder that {@link #save} would not replace: one that holds more than a classifier. */
    public static void requireReplaceable(Path folder) {
        FILES.requireReplaceable(folder);
    }

    /** Writes a classifier, whole or not at all. One that was there is replaced; a folder that holds anything else is refused. */
    public static void save(Path folder, ClassifierCard card, SafetensorsWriter weights) {
        AtomicWrite.folder(folder, FILES, inside -> {
            weights.metadata("format", "pt").write(inside.resolve(ModelFiles.WEIGHTS));
            CARD_FILE.write(inside, card);
        });
    }

    /** A folder's card. */
    public static ClassifierCard card(Path folder) {
        return CARD_FILE.read(folder);
    }
}
