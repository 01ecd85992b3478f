package dev.retort.layout;

import dev.retort.card.ClampSpec;
import dev.retort.card.DitConvention;
import dev.retort.card.GridSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.Part;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TrainedFor;
import dev.retort.config.CardFile;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.Dtype;
import dev.retort.io.FileHash;
import dev.retort.io.OwnFiles;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.databind.node.ObjectNode;

/**
 * A model's folder: {@code model.safetensors}, under the network's own names, and its card {@code model.json}; of one that is told
 * texts the tokenizers as well.
 */
public final class ModelFiles {
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

    /** The files of a model, a regular expression. */
    public static final String NAMES =
            Pattern.quote(WEIGHTS) + "|" + Pattern.quote(CARD) + "|tokenizer(_\\d+)?/[a-z_]+\\.(json|txt)";

    private static final OwnFiles FILES = new OwnFiles("a model", CARD, Pattern.compile(NAMES));

    private ModelFiles() {}

    /** Refuses, before long work, a folder that {@link #save} would not replace: one that holds more than a model. */
    public static void requireReplaceable(Path folder) {
        FILES.requireReplaceable(folder);
    }

    /** Writes a model, whole or not at all. A model that was there is replaced; a folder that holds anything else is refused. */
    public static void save(Path folder, ModelCard card, SafetensorsWriter weights) {
        AtomicWrite.folder(folder, FILES, inside -> write(inside, card, weights));
    }

    /** Writes the files into a folder that is itself being written. */
    public static void write(Path inside, ModelCard card, SafetensorsWriter weights) {
        weights.metadata("format", "pt").write(inside.resolve(WEIGHTS));
        CARD_FILE.write(inside, card);
        if (card.text() != null) {
            card.text().write(inside);
        }
    }

    /**
     * Writes a model of parameters that lie in another file, in the given type; like {@link #save}.
     *
     * @throws RetortException of kind USAGE where a value is beyond the range of the type
     */
    public static void convert(Path folder, ModelCard card, TensorFile parameters, Dtype dtype) {
        ConvertedWeights.requireFinite(parameters, dtype);
        save(folder, card, ConvertedWeights.writer(parameters, dtype));
    }

    /** A folder's card; the schedule it was trained on must have the values that it has here. */
    public static ModelCard card(Path folder) {
        ModelCard card = CARD_FILE.read(folder, ModelFiles::upgrade);
        String hash = card.process().noiseSchedule().hash();
        if (!hash.equals(card.scheduleHash())) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    folder.resolve(CARD) + " was trained on a schedule with hash " + card.scheduleHash() + ", but "
                            + card.process().schedule().text() + " here has " + hash
                            + "; it would sample wrongly with this version");
        }
        return card.text() == null
                ? card
                : card.withText(card.text()
                        .read(
                                folder,
                                card.network()
                                        .condition()
                                        .parts()
                                        .get(Part.TOKENS)
                                        .get(0)));
    }

    /**
     * A card of format 1 says nothing of the forward's convention, which was the original's, or of latents, which it had not;
     * one of format 2 nothing of the time grid and the clamp, which followed from the process, and its network is a diffusion
     * transformer; one of format 3 nothing of the noise's temperature and of what it was trained for: it was sampled in any way. One that
     * does not name the numbers that its network is told beside time and class means none, one that names no classes of what it was
     * trained for all, one that names no scales of guidance that it was told any, and one that says nothing of bits floats.
     */
    private static void upgrade(ObjectNode card) {
        for (String later : List.of("text", "quantization")) {
            if (!card.has(later)) {
                card.putNull(later);
            }
        }
        if (card.get("process") instanceof ObjectNode process) {
            ProcessSpec.upgrade(process);
        }
        if (card.get("sampling") instanceof ObjectNode sampling) {
            SamplingSpec.upgrade(sampling);
        }
        if (card.path("format").asInt() == 1 && card.path("network") instanceof ObjectNode network) {
            network.set("convention", CardFile.tree(DitConvention.ORIGINAL));
            if (!card.has("autoencoder")) {
                card.putNull("autoencoder");
            }
            card.put("format", 2);
        }
        if (card.path("format").asInt() == 2
                && card.path("network") instanceof ObjectNode network
                && card.path("sampling") instanceof ObjectNode sampling) {
            network.put("type", "dit");
            sampling.set("grid", CardFile.tree(new GridSpec.Default()));
            sampling.set("clamp", CardFile.tree(new ClampSpec.Default()));
            card.put("format", 3);
        }
        if (card.path("format").asInt() == 3 && card.path("sampling") instanceof ObjectNode sampling) {
            sampling.put("temperature", 1);
            card.set("trainedFor", CardFile.tree(TrainedFor.ANY));
            card.put("format", 4);
        }
        if (card.path("network") instanceof ObjectNode network
                && network.path("type").asString("").equals("dit")) {
            if (!network.has("scalars")) {
                network.set("scalars", CardFile.tree(ScalarInputs.NONE));
            }
            if (!network.has("outputs")) {
                network.put("outputs", 1);
            }
        }
        if (card.path("network") instanceof ObjectNode network
                && network.path("type").asString("").equals("text-to-image")
                && !network.has("zeroNone")) {
            network.put("zeroNone", false);
        }
        if (card.path("trainedFor") instanceof ObjectNode trained) {
            if (!trained.has("classes")) {
                trained.putArray("classes");
            }
            if (!trained.has("guidanceInput")) {
                trained.putNull("guidanceInput");
            }
        }
    }

    /** SHA-256 of a folder's weights, in hex. */
    public static String sha256(Path folder) {
        return FileHash.sha256(List.of(folder.resolve(WEIGHTS)));
    }
}
