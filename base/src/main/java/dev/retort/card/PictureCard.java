package dev.retort.card;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.PngText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a picture was drawn, as its PNG file says in two texts: {@code retort}, this record as JSON, with all that is needed to draw it again, and
 * {@code parameters}, in the words of AUTOMATIC1111's web interface, which many tools show.
 *
 * @param format version of this text
 * @param model where the model lay, as it was asked for
 * @param sha256 hash of its weights
 * @param labels the class of each picture in the file: one, or those of a sheet; none for a model that is told texts
 * @param classes their names
 * @param text what it was told; null, and not written, for a model of classes
 * @param seed seed of the request
 * @param index index of the first of them under the seed
 * @param rng which noise they start from: {@code addressed} or {@code torch}
 * @param precision arithmetic of the network
 * @param width columns of a picture
 * @param height rows of a picture
 * @param sampling how they were sampled
 * @param start the picture that they start from; empty for noise alone
 * @param loras the adapters that were added to the weights; not written where there were none
 */
public record PictureCard(
        int format,
        String model,
        String sha256,
        List<Integer> labels,
        List<String> classes,
        @JsonInclude(JsonInclude.Include.NON_NULL) Text text,
        long seed,
        long index,
        String rng,
        String precision,
        int width,
        int height,
        SamplingSpec sampling,
        Optional<Source> start,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Lora> loras) {
    /** The version this program writes. */
    public static final int FORMAT = 1;

    private static final String OWN = "retort";
    private static final int SHORT_HASH = 10;

    /**
     * A picture that others start from.
     *
     * @param image its file
     * @param strength share of the steps that are done
     * @param mask the file that says what is drawn anew; empty for all of it
     */
    public record Source(String image, double strength, Optional<String> mask) {}

    /**
     * What a model was told in words.
     *
     * @param prompts the text of each picture in the file
     * @param negative the text that guidance led away from; usually the empty one
     */
    public record Text(List<String> prompts, String negative) {
        /** Validates. */
        public Text {
            Require.notEmpty("text.prompts", prompts);
            Require.that(negative != null, "text.negative", "null", "a text, empty where there is none");
        }
    }

    /**
     * An adapter that was added to the weights.
     *
     * @param file where it lay, as it was asked for
     * @param sha256 hash of the file
     * @param weight factor of what it adds
     */
    public record Lora(String file, String sha256, double weight) {
        /** Whether both add the same, wherever their files lie. */
        boolean addsAs(Lora other) {
            return sha256.equals(other.sha256) && weight == other.weight;
        }
    }

    /** Validates. */
    public PictureCard {
        Require.that(format == FORMAT, "format", format, FORMAT + ", of the version that wrote the picture");
        if (text == null) {
            Require.notEmpty("labels", labels);
        }
        loras = List.copyOf(loras);
    }

    /** Whether these adapters, in their order, are those that it was drawn with. */
    public boolean drawnWith(List<Lora> adapters) {
        return adapters.size() == loras.size()
                && IntStream.range(0, loras.size()).allMatch(i -> loras.get(i).addsAs(adapters.get(i)));
    }

    /** Of one picture among those of a sheet. */
    public PictureCard only(int place) {
        return new PictureCard(
                format,
                model,
                sha256,
                text == null ? List.of(labels.get(place)) : List.of(),
                text == null ? List.of(classes.get(place)) : List.of(),
                text == null ? null : new Text(List.of(text.prompts.get(place)), text.negative),
                seed,
                index + place,
                rng,
                precision,
                width,
                height,
                sampling,
                start,
                loras);
    }

    /** The texts of its PNG file by keyword. */
    public Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("parameters", parameters());
        texts.put(OWN, CardFile.text(this));
        return texts;
    }

    private String parameters() {
        return String.format(
                        Locale.ROOT,
                        "%s%s%nSteps: %d, Sampler: %s, CFG scale: %s, Seed: %d, Size: %dx%d, Model hash: %s, Model: %s%s, RNG: %s",
                        (text == null ? classes : text.prompts)
                                .stream().distinct().collect(Collectors.joining(", ")),
                        text == null || text.negative.isEmpty() ? "" : "\nNegative prompt: " + text.negative,
                        sampling.steps(),
                        sampling.solver().text().replace(", ", " "),
                        sampling.guidanceScale(),
                        rng.equals("torch") ? seed + index : seed,
                        width,
                        height,
                        sha256.substring(0, Math.min(SHORT_HASH, sha256.length())),
                        model.replace(", ", " "),
                        start.map(source -> ", Denoising strength: " + source.strength())
                                .orElse(""),
                        rng)
                .replace("\r\n", "\n");
    }

    /** Whether a file is a PNG. */
    public static boolean mayBeIn(Path file) {
        return Files.isRegularFile(file)
                && file.toString().toLowerCase(Locale.ROOT).endsWith(".png");
    }

    /**
     * What a PNG file says.
     *
     * @throws RetortException of kind DATA where it cannot be read, or says nothing of this
     */
    public static PictureCard read(Path file) {
        try {
            String text = PngText.of(Files.readAllBytes(file)).get(OWN);
            if (text == null) {
                throw new RetortException(
                        Kind.DATA,
                        file + " does not say how it was drawn: it is no PNG with a text '" + OWN
                                + "'; give one that 'retort sample' wrote and no other program saved again");
            }
            ObjectNode card = CardFile.parse(text, ObjectNode.class);
            if (!card.has("text")) {
                card.putNull("text");
            }
            if (!card.has("loras")) {
                card.putArray("loras");
            }
            return CardFile.value(card, PictureCard.class);
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.DATA,
                    file + " does not say how it was drawn (" + e.getMessage() + "); give another picture",
                    e);
        }
    }
}
