package dev.retort.layout;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where another program's network may lie: a file, a folder with its configuration, or such a folder inside a pipeline. */
public final class PipelineFolder {
    private static final String TRANSFORMER = "transformer";

    private PipelineFolder() {}

    /** Whether a folder holds that of a network. */
    public static boolean is(Path path) {
        return Files.isDirectory(path.resolve(TRANSFORMER));
    }

    /** Where the network lies: in its own folder inside a pipeline, else at the path itself. */
    public static Path network(Path path) {
        return is(path) ? path.resolve(TRANSFORMER) : path;
    }

    /** Whether a path looks like a network that another program saved; nothing is read yet. */
    public static boolean mayHoldNetwork(Path path) {
        return Files.isRegularFile(path) || Files.isRegularFile(path.resolve("config.json")) || is(path);
    }
}
