package dev.retort.train;

import dev.retort.config.Configs;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.hub.Hub;
import dev.retort.hub.Watch;
import dev.retort.io.AtomicWrite;
import dev.retort.model.ModelFolder;
import dev.retort.model.dit.DitCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder of a run: {@code config.yaml}, {@code log.jsonl}, {@code tensorboard/}, {@code samples/}, {@code checkpoints/},
 * and {@code model/} with the result.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
    private static final int MOST_NAMED = 3;

    /** Opens a run: creates the folder, or checks that it belongs to the same configuration and so is to be resumed. */
    public static RunFolder open(Path path, String configYaml) {
        RunFolder run = new RunFolder(path);
        try {
            Files.createDirectories(run.checkpoints());
            Files.createDirectories(run.samples());
            AtomicWrite.recover(path);
            AtomicWrite.recover(run.checkpoints());
            Path config = path.resolve("config.yaml");
            if (!Files.exists(config)) {
                AtomicWrite.text(config, configYaml);
            } else if (!Files.readString(config).equals(configYaml)) {
                List<String> differences = Configs.differences(Files.readString(config), configYaml);
                throw new RetortException(
                        Kind.CONFIG,
                        path + " holds a run with another configuration: "
                                + FirstFew.of(differences, MOST_NAMED)
                                + "; give the same settings to resume, or --run another folder");
            }
            return run;
        } catch (IOException e) {
            throw new RetortException(
                    Kind.WRITE,
                    "the run folder " + path + " cannot be used (" + AtomicWrite.reason(e) + "); choose another",
                    e);
        }
    }

    /** Where checkpoints lie. */
    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** Where sample grids lie. */
    public Path samples() {
        return path.resolve("samples");
    }

    /** Where the result lies once there is one. */
    public Path model() {
        return path.resolve("model");
    }

    /** The checkpoint's folder at a clock. */
    public Path checkpoint(long imagesSeen) {
        return checkpoints().resolve(String.format(Locale.ROOT, "%012d", imagesSeen));
    }

    /** All whole checkpoints, oldest first. */
    public List<Path> list() {
        try (Stream<Path> all = Files.list(checkpoints())) {
            return all.filter(p -> p.getFileName().toString().matches("\\d{12}"))
                    .sorted(Comparator.naturalOrder())
                    .toList();
        } catch (IOException e) {
            throw new RetortException(Kind.CHECKPOINT, checkpoints() + " cannot be listed (" + e.getMessage() + ")", e);
        }
    }

    /** Deletes all but the newest {@code keep} checkpoints. */
    public void prune(int keep) {
        List<Path> all = list();
        for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
            try (Stream<Path> files = Files.walk(old)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            } catch (IOException e) {
                throw new RetortException(
                        Kind.WRITE, "the old checkpoint " + old + " cannot be deleted (" + e.getMessage() + ")", e);
            }
        }
    }

    /**
     * The model to load for what a user gave: a model folder, a run's result, a run's newest checkpoint, another program's
     * file or folder, which is opened when it is loaded, or {@code hf:OWNER/NAME}, which is fetched where it is not cached.
     *
     * @param watch is told what is fetched
     */
    public static Path resolveModel(String given, Watch watch) {
        Path place = Hub.locate(given, watch);
        return own(place).orElseGet(() -> {
            if (DitCheckpoint.mayBe(place)) {
                return place;
            }
            throw new RetortException(
                    Kind.CHECKPOINT,
                    place + (Files.exists(place) ? " holds no model" : " does not exist")
                            + "; give a run folder, a checkpoint, a model folder with " + ModelFolder.CARD
                            + ", or a DiT's .pt or diffusers folder");
        });
    }

    /** The model folder that a run, a checkpoint or a model folder means; empty where the path is nothing of ours. */
    public static Optional<Path> own(Path given) {
        RunFolder run = new RunFolder(given);
        for (Path folder : List.of(given, run.model())) {
            if (Files.exists(folder.resolve(ModelFolder.CARD))) {
                return Optional.of(folder);
            }
        }
        List<Path> all = Files.isDirectory(run.checkpoints()) ? run.list() : List.of();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }
}
