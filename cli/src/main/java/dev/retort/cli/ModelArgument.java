package dev.retort.cli;

import dev.retort.hub.Hub;
import dev.retort.hub.HubName;
import dev.retort.pipeline.Models;
import java.nio.file.Path;
import java.util.OptionalInt;

/** Turns what a user wrote for a model into a place on this machine, and shows what must be fetched for it. */
final class ModelArgument {
    /** What may be written, for the help. */
    static final String PLACES =
            "A run, one of its checkpoints, a model folder, another program's file (.pt, .ckpt, .safetensors) or diffusers folder, or"
                    + " hf:OWNER/NAME.";

    private ModelArgument() {}

    /** The model's folder. */
    static Path folder(String given, Output output) {
        try (DownloadBar bar = new DownloadBar(output)) {
            return Models.locate(given, bar);
        }
    }

    /** The folder of the model that is sampled in a number of steps; null for as many as its card says. */
    static Path folder(String given, Integer steps, Output output) {
        try (DownloadBar bar = new DownloadBar(output)) {
            return Models.locate(given, steps == null ? OptionalInt.empty() : OptionalInt.of(steps), bar);
        }
    }

    /** A file or folder that need not be a model: a path as it stands, or where the cache has it; empty where none is given. */
    static String place(String given, Output output) {
        if (given == null) {
            return "";
        }
        try (DownloadBar bar = new DownloadBar(output)) {
            return HubName.is(given) ? Hub.locate(given, bar).toString() : given;
        }
    }

    /** How a model is called in a table: its run's or repository's name. */
    static String name(String given) {
        if (HubName.is(given)) {
            return HubName.parse(given).name();
        }
        Path path = Path.of(given).toAbsolutePath().normalize();
        boolean unnamed =
                path.getNameCount() > 1 && path.getFileName().toString().matches("model(-\\d+)?");
        return (unnamed ? path.getParent() : path).getFileName().toString();
    }
}
