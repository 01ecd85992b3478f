package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.DitFamily;
import dev.retort.layout.Hints;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** What a foreign checkpoint's weights do not say. */
final class HintOptions {
    @Option(
            names = "--heads",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Attention heads, if the size is not a published one.")
    private Integer heads;

    @Option(
            names = "--classes",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Classes; by default the label table's rows but one.")
    private Integer classes;

    @Option(
            names = "--size",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Side of what the network works on, where its position table is missing.")
    private Integer size;

    @Option(names = "--family", paramLabel = "NAME", description = "Whose weights: dit, diffusers, sit, repa.")
    private String family;

    @Option(
            names = "--allow",
            paramLabel = "NAMES",
            split = ",",
            description = "Tensors that may be missing or left out: a.weight,b.*")
    private List<String> allowed = List.of();

    Hints hints() {
        return new Hints(
                heads == null ? 0 : heads, classes == null ? 0 : classes, size == null ? 0 : size, family(), allowed);
    }

    private DitFamily family() {
        if (family == null) {
            return null;
        }
        return Arrays.stream(DitFamily.values())
                .filter(known -> known.name().equalsIgnoreCase(family))
                .findFirst()
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        "--family " + family + " is unknown; choose one of "
                                + Arrays.stream(DitFamily.values())
                                        .map(known -> known.name().toLowerCase(Locale.ROOT))
                                        .collect(Collectors.joining(", "))));
    }
}
