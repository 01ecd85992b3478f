package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tells our own models from other programs' files. */
final class ModelFolders {
    private ModelFolders() {}

    /** The model folder that a run, a checkpoint or a model folder means; null where the path is nothing of ours. */
    static Path find(Path given) {
        if (!Files.isDirectory(given)) {
            return null;
        }
        try {
            return RunFolder.resolveModel(given);
        } catch (RetortException e) {
            return null;
        }
    }
}
