package dev.retort.train;

import dev.retort.card.TextCard;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Weights;
import dev.retort.pipeline.Models;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/**
 * Saves and restores everything a run needs to continue: the result so far as a model that can be used, and a list of things
 * that have a state. The tensors of the first of them stand under their own names, those of any other under its name and a
 * dot.
 */
final class CheckpointStore {
    private static final int KEEP = 2;
    private static final int MOST_NAMED = 3;

    private final RunFolder run;
    private final List<Stateful> all;
    private final Map<String, Tensor> model;

    /**
     * @param all what a checkpoint holds
     * @param model the result so far, which is written by the task into the file {@link ModelFiles#WEIGHTS} and restored
     *     from there
     */
    CheckpointStore(RunFolder run, List<Stateful> all, Map<String, Tensor> model) {
        this.run = run;
        this.all = all;
        this.model = model;
    }

    /**
     * Writes a checkpoint, whole or not at all, then deletes older ones but for the last.
     *
     * @param publish writes the result so far into the folder it is given
     */
    Path save(TrainState state, Consumer<Path> publish) {
        Map<String, ObjectNode> numbers = new LinkedHashMap<>();
        all.forEach(part -> numbers.put(part.name(), part.numbers()));
        Path folder = run.checkpoint(state.imagesSeen());
        AtomicWrite.folder(folder, RunFolder.CHECKPOINT_FILES, inside -> {
            publish.accept(inside);
            Weights.writer(tensors(), Dtype.F32).write(inside.resolve(RunFolder.TRAINING));
            state.with(numbers).write(inside);
        });
        run.prune(KEEP);
        return folder;
    }

    /**
     * Continues from the newest checkpoint, if there is one.
     *
     * @param otherRun why a checkpoint is that of another run, where it is
     * @param prepare gives everything the tensors that it had where the run stood, and tells who had gone, of whom older versions went on
     *     saving
     */
    Optional<TrainState> restore(
            Device device, Function<Path, Optional<String>> otherRun, Function<TrainState, Set<String>> prepare) {
        Optional<Path> newest = run.newest();
        if (newest.isEmpty()) {
            return Optional.empty();
        }
        Path checkpoint = newest.get();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            TrainState state = orDamaged(run, checkpoint, () -> state(checkpoint));
            Set<String> gone = prepare.apply(state);
            Map<String, Tensor> saved = orDamaged(
                    run,
                    checkpoint,
                    () -> underNamesOfToday(Weights.read(checkpoint.resolve(RunFolder.TRAINING), device)));
            saved.keySet().removeIf(name -> gone.contains(name.substring(0, Math.max(0, name.indexOf('.')))));
            Map<String, Tensor> weights =
                    orDamaged(run, checkpoint, () -> Weights.read(checkpoint.resolve(ModelFiles.WEIGHTS), device));
            orDamaged(run, checkpoint, () -> otherRun.apply(checkpoint)).ifPresent(why -> {
                throw other(checkpoint, why);
            });
            requireSameNames(checkpoint, tensors(), saved);
            requireSameNames(checkpoint, model, weights);
            requireSameShapes(checkpoint.resolve(ModelFiles.WEIGHTS), model, weights);
            requireSameShapes(checkpoint.resolve(RunFolder.TRAINING), tensors(), saved);
            model.forEach((name, tensor) -> tensor.copy_(weights.get(name)));
            tensors().forEach((name, tensor) -> tensor.copy_(saved.get(name)));
            orDamaged(run, checkpoint, () -> numbers(checkpoint, state));
            return Optional.of(state);
        }
    }

    /** How the network that a run goes on with is told texts; empty where it is told none, or the run has no checkpoint. */
    static Optional<TextCard> text(RunFolder run) {
        return run.newest().map(checkpoint -> orDamaged(run, checkpoint, () -> Models.card(checkpoint))
                .text());
    }

    private TrainState state(Path checkpoint) {
        TrainState state = TrainState.read(checkpoint, all.get(0).name());
        if (!checkpoint.equals(run.checkpoint(state.imagesSeen()))) {
            throw new RetortException(
                    Kind.CHECKPOINT, checkpoint + " was saved at " + state.imagesSeen() + " images, says its state");
        }
        return state;
    }

    private boolean numbers(Path checkpoint, TrainState state) {
        for (Stateful part : all) {
            ObjectNode numbers = state.players().get(part.name());
            if (numbers == null) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        checkpoint.resolve(TrainState.FILE) + " says nothing of " + part.name() + ", only of "
                                + state.players().keySet());
            }
            try {
                part.restore(numbers);
            } catch (JacksonException e) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        checkpoint.resolve(TrainState.FILE) + " says of " + part.name() + " what cannot be read ("
                                + e.getOriginalMessage() + ")",
                        e);
            }
        }
        return true;
    }

    private static <T> T orDamaged(RunFolder run, Path checkpoint, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (RetortException e) {
            throw e.kind() == Kind.CHECKPOINT || e.kind() == Kind.DATA ? damaged(run, checkpoint, e) : e;
        }
    }

    private static RetortException damaged(RunFolder run, Path checkpoint, RetortException why) {
        List<Path> list = run.list();
        String instead = list.size() > 1
                ? "to go on from the one before, " + list.get(list.size() - 2).getFileName()
                : "to start anew, as there is no other";
        return new RetortException(
                Kind.CHECKPOINT,
                "the newest checkpoint cannot be resumed from: " + why.getMessage() + "; delete " + checkpoint + " "
                        + instead,
                why);
    }

    private Map<String, Tensor> underNamesOfToday(Map<String, Tensor> saved) {
        Map<String, Tensor> now = new LinkedHashMap<>(saved);
        for (Stateful part : all) {
            part.formerNames().forEach((name, old) -> {
                if (!now.containsKey(prefix(part) + name) && now.containsKey(prefix(part) + old)) {
                    now.put(prefix(part) + name, now.remove(prefix(part) + old));
                }
            });
        }
        return now;
    }

    private static void requireSameNames(Path checkpoint, Map<String, Tensor> wanted, Map<String, Tensor> saved) {
        List<String> odd = Stream.concat(
                        wanted.keySet().stream().filter(name -> !saved.containsKey(name)),
                        saved.keySet().stream().filter(name -> !wanted.containsKey(name)))
                .toList();
        if (!odd.isEmpty()) {
            throw other(
                    checkpoint,
                    "belongs to another architecture or recipe: one of both has no " + FirstFew.of(odd, MOST_NAMED)
                            + "; nothing else can be resumed from it");
        }
    }

    private static void requireSameShapes(Path file, Map<String, Tensor> wanted, Map<String, Tensor> saved) {
        wanted.forEach((name, tensor) -> {
            String expected = Arrays.toString(Tensors.shape(tensor));
            String found = Arrays.toString(Tensors.shape(saved.get(name)));
            if (!found.equals(expected)) {
                throw new RetortException(
                                Kind.CHECKPOINT,
                                file + " belongs to another architecture: " + name + " has shape " + found
                                        + ", expected " + expected + "; choose another folder to start anew")
                        .about("folder");
            }
        });
    }

    private static RetortException other(Path checkpoint, String why) {
        return new RetortException(Kind.CHECKPOINT, checkpoint + " " + why + ", or choose another folder to start anew")
                .about("folder");
    }

    private Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        all.forEach(part -> part.tensors().forEach((name, tensor) -> tensors.put(prefix(part) + name, tensor)));
        return tensors;
    }

    private String prefix(Stateful part) {
        return part == all.get(0) ? "" : part.name() + ".";
    }
}
