package dev.retort.layout;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where another program's network may lie: a file, a folder with its configuration, or such a folder inside a pipeline. */
public final class PipelineFolder {
    private static final List<String> NETWORKS = List.of("transformer", "unet");

    private PipelineFolder() {}

    /** Whether a folder holds that of a network. */
    public static boolean is(Path path) {
        return !network(path).equals(path);
    }

    /** Where the network lies: in its own folder inside a pipeline, else at the path itself. */
    public static Path network(Path path) {
        return NETWORKS.stream()
                .map(path::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(path);
    }

    /** Whether a path looks like a network that another program saved; nothing is read yet. */
    public static boolean mayHoldNetwork(Path path) {
        return Files.isRegularFile(path) || Files.isRegularFile(path.resolve("config.json")) || is(path);
    }
}
