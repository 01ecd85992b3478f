package dev.retort.layout;

import dev.retort.card.ClassifierCard;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
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

    /** The folder inside in which a training keeps its log, and its checkpoints until the end. */
    public static final String RUN = "run";

    private static final Pattern NAMES =
            Pattern.compile(Pattern.quote(ModelFiles.WEIGHTS) + "|" + Pattern.quote(CARD) + "|" + RUN + "/.*");
    private static final OwnFiles FINISHED = new OwnFiles("a classifier", CARD, NAMES);
    private static final OwnFiles BEGUN = new OwnFiles("a classifier", RUN + "/config.yaml", NAMES);

    private ClassifierFiles() {}

    /** Refuses, before long work, a folder that {@link #save} would not write into: one that holds more than a classifier. */
    public static void requireReplaceable(Path folder) {
        (Files.exists(folder.resolve(BEGUN.mark())) ? BEGUN : FINISHED).requireReplaceable(folder);
    }

    /**
     * Writes a classifier. One that was there is replaced; a folder that holds anything else is refused. What is there without a
     * card is not whole: the old card goes first and the new one comes last.
     */
    public static void save(Path folder, ClassifierCard card, SafetensorsWriter weights) {
        requireReplaceable(folder);
        try {
            Files.createDirectories(folder);
            Files.deleteIfExists(folder.resolve(CARD));
        } catch (IOException e) {
            throw new RetortException(
                    Kind.WRITE,
                    "the folder " + folder + " cannot be used (" + AtomicWrite.reason(e) + "); choose another",
                    e);
        }
        weights.metadata("format", "pt").write(folder.resolve(ModelFiles.WEIGHTS));
        CARD_FILE.write(folder, card);
    }

    /** A folder's card. */
    public static ClassifierCard card(Path folder) {
        return CARD_FILE.read(folder);
    }
}
