package dev.retort.run;

import dev.retort.config.Configs;
import dev.retort.config.Difference;
import dev.retort.data.DataConfig;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.FolderLock;
import dev.retort.io.OwnFiles;
import dev.retort.layout.LoraFile;
import dev.retort.layout.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The folder of a run: {@code config.yaml}, {@code log.jsonl}, {@code tensorboard/}, {@code samples/}, {@code checkpoints/},
 * and {@code model/} with the result, beside which {@code model-2/} may hold weights that were better in 2 steps.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
    /** Settings, in the order of the file: {@code kind}, then every field of the configuration. */
    public static final String CONFIG = "config.yaml";
    /** Events, see {@link RunEvents}. */
    public static final String LOG = "log.jsonl";
    /** The weights in training, the averages and the optimiser of a checkpoint. */
    public static final String TRAINING = "training.safetensors";
    /** Clock and counters of a checkpoint. */
    public static final String STATE = "state.json";
    /** The files of a checkpoint: a model's, and what a run goes on with. */
    public static final OwnFiles CHECKPOINT_FILES = new OwnFiles(
            "a checkpoint",
            STATE,
            Pattern.compile(ModelFiles.NAMES + "|" + Pattern.quote(TRAINING) + "|" + Pattern.quote(STATE)));

    private static final int MOST_NAMED = 3;
    private static final int MOST_UP = 2; // checkpoints/NUMBER

    /**
     * Opens a run: fills the folder, or checks that it belongs to the same configuration and so is to be resumed. Where it
     * computes and what it logs are no part of what a run is; where they differ, the run goes on with the present settings. A
     * run that has saved nothing yet may begin with any.
     *
     * @param held the right to write into it
     * @param kind which command it is for, what its {@code config.yaml} opens with: {@code train}, {@code distill} or {@code
     *     classifier}
     * @param settings its configuration
     * @param notes is told of settings that changed
     */
    public static RunFolder open(FolderLock held, String kind, Object settings, Consumer<String> notes) {
        RunFolder run = new RunFolder(held.folder());
        Path config = run.path.resolve(CONFIG);
        ModelFiles.requireReplaceable(run.model());
        try {
            AtomicWrite.recover(run.path);
            AtomicWrite.recover(run.checkpoints());
            if (!Files.exists(config) || run.resettled(config, kind, settings, notes)) {
                AtomicWrite.text(config, Configs.write(kind, settings));
            }
            Files.createDirectories(run.checkpoints());
            Files.createDirectories(run.samples());
            return run;
        } catch (IOException e) {
            throw new RetortException(
                    Kind.WRITE,
                    "the run folder " + run.path + " cannot be used (" + AtomicWrite.reason(e) + "); choose another",
                    e);
        }
    }

    /** Whether settings changed that may; others are refused. */
    private boolean resettled(Path config, String kind, Object here, Consumer<String> notes) {
        boolean empty = !begun() && !Files.exists(model());
        String there = Configs.kind(config);
        if (!empty && !there.isEmpty() && !there.equals(kind)) {
            throw new RetortException(
                            Kind.CONFIG,
                            path + " holds a run of kind " + there + ", this one is of kind " + kind
                                    + "; choose another folder")
                    .about("folder");
        }
        List<Difference> all = Configs.differences(kind, config, here);
        List<Difference> decisive = all.stream()
                .filter(difference -> !difference.path().matches("run\\.(compute|log)\\..*"))
                .toList();
        if (!decisive.isEmpty() && !empty) {
            throw new RetortException(
                            Kind.CONFIG,
                            path + " holds a run with another configuration: " + few(decisive)
                                    + "; give the same settings to resume, or choose another folder")
                    .about("folder");
        }
        if (!all.isEmpty()) {
            notes.accept((empty ? "nothing was saved here yet, so the run begins" : "the run goes on")
                    + " with other settings than before: " + few(all));
        }
        return !all.isEmpty();
    }

    private static String few(List<Difference> differences) {
        return FirstFew.of(differences.stream().map(Difference::toString).toList(), MOST_NAMED);
    }

    /**
     * The run to which a model belongs: the folder itself, or one that it lies in, as a result ({@code model/}) or a checkpoint
     * ({@code checkpoints/NUMBER/}) does. Empty where none is there.
     */
    public static Optional<RunFolder> around(Path model) {
        Path at = model.toAbsolutePath().normalize();
        for (int up = 0; up <= MOST_UP && at != null; up++, at = at.getParent()) {
            if (Files.isRegularFile(at.resolve(CONFIG)) || Files.isRegularFile(at.resolve(LOG))) {
                return Optional.of(new RunFolder(at));
            }
        }
        return Optional.empty();
    }

    /**
     * What it was trained on, as its settings say; empty where it has none.
     *
     * @throws RetortException of kind CONFIG where they cannot be read
     */
    public Optional<DataConfig> data() {
        Path config = path.resolve(CONFIG);
        return Files.isRegularFile(config)
                ? Configs.part(DataConfig.class, config, "run", "data")
                        .or(() -> Configs.part(DataConfig.class, config, "data"))
                : Optional.empty();
    }

    /** Whether it holds a checkpoint to go on from. */
    public boolean begun() {
        return Files.isDirectory(checkpoints()) && !list().isEmpty();
    }

    /** Where checkpoints lie. */
    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** Where its events stand. */
    public Path log() {
        return path.resolve(LOG);
    }

    /** Where sample grids lie. */
    public Path samples() {
        return path.resolve("samples");
    }

    /** Where the result lies once there is one. */
    public Path model() {
        return path.resolve("model");
    }

    /** Where the adapter alone lies that a run learned, merged into the result, where it learned one from beginning to end. */
    public Path adapter() {
        return path.resolve(LoraFile.NAME);
    }

    /** Where the weights lie that were best in a number of steps, where the run kept such. */
    public Path model(int steps) {
        return path.resolve("model-" + steps);
    }

    /** The checkpoint's folder at a clock. */
    public Path checkpoint(long imagesSeen) {
        return checkpoints().resolve(String.format(Locale.ROOT, "%012d", imagesSeen));
    }

    /** All whole checkpoints, oldest first. */
    public List<Path> list() {
        try (Stream<Path> all = Files.list(checkpoints())) {
            return all.filter(p -> p.getFileName().toString().matches("\\d{12}"))
                    .filter(p -> !isUsers(p))
                    .sorted(Comparator.naturalOrder())
                    .toList();
        } catch (IOException e) {
            throw new RetortException(Kind.CHECKPOINT, checkpoints() + " cannot be listed (" + e.getMessage() + ")", e);
        }
    }

    /** Whether a folder holds only what a user put there, as one does that was pruned around it. */
    private static boolean isUsers(Path checkpoint) {
        String[] names = checkpoint.toFile().list();
        return names != null
                && names.length > 0
                && Arrays.stream(names)
                        .noneMatch(
                                name -> CHECKPOINT_FILES.names().matcher(name).matches());
    }

    /** The newest whole checkpoint. */
    public Optional<Path> newest() {
        List<Path> all = list();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }

    /** Deletes all but the newest {@code keep} checkpoints; a folder in which a user keeps something else loses ours alone. */
    public void prune(int keep) {
        List<Path> all = list();
        for (Path old : all.subList(0, Math.max(0, all.size() - keep))) {
            try {
                CHECKPOINT_FILES.delete(old);
            } catch (IOException e) {
                throw new RetortException(
                        Kind.WRITE,
                        "the old checkpoint " + old + " cannot be deleted (" + AtomicWrite.reason(e)
                                + "); delete it, and the same command goes on",
                        e);
            }
        }
    }

    /**
     * The model folder to be sampled in a number of steps: {@link #own}, or of a run with a result that kept the best weights for so many,
     * these.
     *
     * @param steps empty for as many as the result's card says
     */
    public static Optional<Path> own(Path given, OptionalInt steps) {
        RunFolder run = new RunFolder(given);
        return own(given).map(folder -> {
            if (!folder.equals(run.model())) {
                return folder;
            }
            Path best = run.model(
                    steps.orElseGet(() -> ModelFiles.card(folder).sampling().steps()));
            return Files.exists(best.resolve(ModelFiles.CARD)) ? best : folder;
        });
    }

    /**
     * The model folder that a run, a checkpoint or a model folder means; empty where the path is nothing of ours.
     *
     * @throws RetortException of kind CHECKPOINT where a run's result is there but cannot be read
     */
    public static Optional<Path> own(Path given) {
        RunFolder run = new RunFolder(given);
        for (Path folder : List.of(given, run.model())) {
            if (Files.exists(folder.resolve(ModelFiles.CARD))) {
                return Optional.of(folder);
            }
        }
        Optional<Path> newest = run.begun() ? run.newest() : Optional.empty();
        if (newest.isPresent() && Files.exists(run.model())) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    run.model() + " is damaged or unreadable: it has no readable " + ModelFiles.CARD + "; give "
                            + newest.get()
                            + " for the newest checkpoint, or train again to have the result written anew");
        }
        return newest;
    }
}
