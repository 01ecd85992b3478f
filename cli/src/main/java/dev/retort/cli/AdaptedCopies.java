package dev.retort.cli;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.ModelFiles;
import dev.retort.layout.WeightedLora;
import dev.retort.pipeline.Loras;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Models with adapters merged into them, on disk for as long as this is open; without adapters the models themselves. */
final class AdaptedCopies implements AutoCloseable {
    private final List<WeightedLora> adapters;
    private final Output output;
    private final Map<Path, Path> copies = new LinkedHashMap<>();

    AdaptedCopies(List<WeightedLora> adapters, Output output) {
        this.adapters = adapters;
        this.output = output;
    }

    /** The folder to read instead of a model's. */
    Path of(Path model) {
        if (adapters.isEmpty()) {
            return model;
        }
        if (!copies.containsKey(model)) {
            copies.put(model, folder());
            Loras.merge(model, adapters, copies.get(model)).forEach(output::say);
        }
        return copies.get(model);
    }

    private static Path folder() {
        try {
            return Files.createTempDirectory("retort-lora");
        } catch (IOException e) {
            throw new RetortException(
                    Kind.WRITE,
                    "no folder for the model with its adapters can be made in " + System.getProperty("java.io.tmpdir")
                            + "; give another one, as JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=FOLDER",
                    e);
        }
    }

    @Override
    public void close() {
        for (Path folder : copies.values()) {
            for (String name : List.of(ModelFiles.WEIGHTS, ModelFiles.CARD, "")) {
                folder.resolve(name).toFile().delete();
            }
        }
    }
}
