package dev.retort.cli;

import dev.retort.card.PictureCard;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.LoraFile;
import dev.retort.layout.WeightedLora;
import java.util.List;
import picocli.CommandLine.Option;

/** Adapters that a model is opened with. */
final class LoraOptions {
    @Option(
            names = "--lora",
            paramLabel = "FILE[:WEIGHT]",
            description =
                    "Apply an adapter (LoRA) of any program, so many times as strongly; may be given again, and all are"
                            + " added up.")
    private List<String> given = List.of();

    List<WeightedLora> adapters(Output output) {
        return parse(given, output);
    }

    static List<WeightedLora> parse(List<String> given, Output output) {
        return given.stream()
                .map(text -> WeightedLora.parse(text, file -> ModelArgument.place(file, output)))
                .toList();
    }

    /** What a picture says of adapters that it was drawn with. */
    static List<PictureCard.Lora> told(List<WeightedLora> adapters) {
        return adapters.stream()
                .map(adapter -> {
                    try (LoraFile file = LoraFile.open(adapter.file())) {
                        return new PictureCard.Lora(adapter.file().toString(), file.sha256(), adapter.weight());
                    }
                })
                .toList();
    }

    /** Refuses adapters where none can be applied; {@code why} says what to do. */
    void requireNone(String why) {
        if (!given.isEmpty()) {
            throw new RetortException(Kind.USAGE, why);
        }
    }

    /** For what reads a model several times, or in another process. */
    AdaptedCopies copies(Output output) {
        return new AdaptedCopies(adapters(output), output);
    }
}
