package dev.retort.cli;

import dev.retort.card.PictureCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.sample.Randomness;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** From which noise pictures are drawn, and whether as another picture was. */
final class LikeOptions {
    @Option(
            names = "--seed",
            paramLabel = "N",
            converter = Numbers.Seed.class,
            description = "Seed of all images; by default 0.")
    private Long seed;

    @Option(
            names = "--rng",
            paramLabel = "NAME",
            description =
                    "The noise: addressed, which is the same on every machine, or torch, that of PyTorch's generator on"
                            + " CPUs seeded with seed + index; by default addressed.")
    private String rng;

    @Option(
            names = "--like",
            paramLabel = "PICTURE",
            description =
                    "Draw as this PNG says it was drawn, by its model where none is given; other options change that.")
    private Path like;

    /** How the picture was drawn; empty where none is given. */
    Optional<PictureCard> shown() {
        return Optional.ofNullable(like).map(PictureCard::read);
    }

    /** The model given, else the picture's. */
    static String model(String given, Optional<PictureCard> shown) {
        return given != null
                ? given
                : shown.map(PictureCard::model)
                        .orElseThrow(() -> new RetortException(
                                Kind.USAGE,
                                "no CHECKPOINT is given; name one, or a picture whose model is to draw by --like"
                                        + " PICTURE"));
    }

    long seed(Optional<PictureCard> shown) {
        return seed != null ? seed : shown.map(PictureCard::seed).orElse(0L);
    }

    /** Index of the first picture under the seed: the shown one's, unless another seed is asked for. */
    long first(Optional<PictureCard> shown) {
        return seed == null ? shown.map(PictureCard::index).orElse(0L) : 0;
    }

    Randomness randomness(Optional<PictureCard> shown) {
        String name = rng != null ? rng : shown.map(PictureCard::rng).orElse("addressed");
        return Arrays.stream(Randomness.values())
                .filter(known -> known.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new RetortException(Kind.USAGE, "--rng " + name + " is not known; choose addressed or torch"));
    }

    /** Refuses other adapters than those that the picture was drawn with; where it was drawn with none, any change it, which is said. */
    void requireLoras(PictureCard picture, List<PictureCard.Lora> given, Output output) {
        if (picture.drawnWith(given)) {
            return;
        }
        if (picture.loras().isEmpty()) {
            output.say("Warning: " + like + " was drawn without an adapter; with --lora the picture will differ");
            return;
        }
        throw new RetortException(
                Kind.USAGE,
                like + " was drawn with " + shown(picture.loras()) + ", but "
                        + (given.isEmpty() ? "no --lora is given" : "given is " + shown(given)) + "; give "
                        + picture.loras().stream()
                                .map(lora -> "--lora " + lora.file() + ":" + lora.weight())
                                .collect(Collectors.joining(" "))
                        + ", wherever " + (picture.loras().size() == 1 ? "that file lies" : "those files lie")
                        + " now");
    }

    private static String shown(List<PictureCard.Lora> loras) {
        return loras.stream()
                .map(lora ->
                        "the adapter " + lora.file() + " (sha256 " + lora.sha256() + ") of weight " + lora.weight())
                .collect(Collectors.joining(" and "));
    }

    /** Warns where other weights or another arithmetic draw than drew the picture. */
    void compare(PictureCard picture, String sha256, String precision, Output output) {
        if (!picture.sha256().equals(sha256)) {
            output.say("Warning: " + like + " was drawn by other weights (sha256 " + picture.sha256()
                    + ") than those given (" + sha256 + "); the picture will differ");
        }
        if (!picture.precision().equals(precision)) {
            output.say("Warning: " + like + " was drawn in precision " + picture.precision() + ", not " + precision
                    + "; for the same values add --precision " + picture.precision());
        }
    }
}
