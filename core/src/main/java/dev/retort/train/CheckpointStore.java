package dev.retort.train;

import dev.retort.card.AutoencoderCard;
import dev.retort.card.ModelCard;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.io.OwnFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Layer;
import dev.retort.pipeline.Models;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * Saves and restores everything a run needs to continue: the first moving average as a model that can be sampled, the
 * other averages, the weights in training, the optimiser, and the clock.
 */
final class CheckpointStore {
    private static final int KEEP = 2;
    private static final String TRAINING = "training.safetensors";
    private static final int MOST_NAMED = 3;

    /** The files of a checkpoint. */
    static final List<String> FILES = List.of(ModelFiles.WEIGHTS, ModelFiles.CARD, TRAINING, TrainState.FILE);

    private static final OwnFiles OWN = new OwnFiles(
            "a checkpoint",
            TrainState.FILE,
            Pattern.compile(FILES.stream().map(Pattern::quote).collect(Collectors.joining("|"))));

    private final RunFolder run;
    private final Layer network;
    private final TermNames terms;
    private final List<Ema> averages;
    private final AdamW optimizer;

    /** @param terms whose parameters (connectors) are trained beside the network's */
    CheckpointStore(RunFolder run, Layer network, TermNames terms, List<Ema> averages, AdamW optimizer) {
        this.run = run;
        this.network = network;
        this.terms = terms;
        this.averages = averages;
        this.optimizer = optimizer;
    }

    /** Writes a checkpoint, whole or not at all, then deletes older ones but for the last. */
    Path save(TrainState state, ModelCard card) {
        Path folder = run.checkpoint(state.imagesSeen());
        AtomicWrite.folder(folder, OWN, inside -> {
            ModelFolder.write(inside, averages.get(0).weights(), card, Dtype.F32);
            ModelFolder.writer(training(), Dtype.F32).write(inside.resolve(TRAINING));
            state.write(inside);
        });
        run.prune(KEEP);
        return folder;
    }

    /** What a checkpoint's files hold. */
    private record Saved(
            Path folder, TrainState state, ModelCard card, Map<String, Tensor> training, Map<String, Tensor> average) {}

    /**
     * Continues from the newest checkpoint, if there is one.
     *
     * @param present what a checkpoint of this run would say of itself now
     */
    Optional<TrainState> restore(Device device, ModelCard present) {
        Optional<Path> newest = run.newest();
        if (newest.isEmpty()) {
            return Optional.empty();
        }
        try (Scope scope = Scope.open()) {
            Saved saved = read(newest.get(), device);
            requireSameRun(saved, present);
            requireSameNames(saved);
            // The average goes in first and is overwritten: both sets of weights are checked by name and shape.
            requireFit(network.load(saved.average), saved.folder.resolve(ModelFiles.WEIGHTS));
            requireFit(network.load(part(saved.training, "model.")), saved.folder.resolve(TRAINING));
            part(saved.training, "extra.")
                    .forEach((name, tensor) -> copy(tensor, terms.parameters().get(name)));
            averages.get(0).restore(saved.average);
            for (Ema ema : averages.subList(1, averages.size())) {
                ema.restore(part(saved.training, prefix(ema)));
            }
            optimizer.restore(part(saved.training, "optimizer."));
            return Optional.of(saved.state);
        }
    }

    private Saved read(Path checkpoint, Device device) {
        try {
            TrainState state = TrainState.read(checkpoint);
            if (!checkpoint.equals(run.checkpoint(state.imagesSeen()))) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        checkpoint + " was saved at " + state.imagesSeen() + " images, says its state");
            }
            return new Saved(
                    checkpoint,
                    state,
                    Models.card(checkpoint),
                    numbered(ModelFolder.read(checkpoint.resolve(TRAINING), device)),
                    ModelFolder.read(checkpoint.resolve(ModelFiles.WEIGHTS), device));
        } catch (RetortException e) {
            throw e.kind() == Kind.CHECKPOINT || e.kind() == Kind.DATA ? damaged(checkpoint, e) : e;
        }
    }

    private RetortException damaged(Path checkpoint, RetortException why) {
        List<Path> all = run.list();
        String instead = all.size() > 1
                ? "to go on from the one before, " + all.get(all.size() - 2).getFileName()
                : "to start anew, as there is no other";
        return new RetortException(
                Kind.CHECKPOINT,
                "the newest checkpoint cannot be resumed from: " + why.getMessage() + "; delete " + checkpoint + " "
                        + instead,
                why);
    }

    /** Under the names of today. */
    private Map<String, Tensor> numbered(Map<String, Tensor> saved) {
        Map<String, Tensor> now = new LinkedHashMap<>(saved);
        terms.unnumbered().forEach((name, old) -> {
            for (String prefix : List.of("extra.", "optimizer.mean.", "optimizer.square.", "optimizer.step.")) {
                if (!now.containsKey(prefix + name) && now.containsKey(prefix + old)) {
                    now.put(prefix + name, now.remove(prefix + old));
                }
            }
        });
        return now;
    }

    /** A label, a latent and a teacher's answer must mean what they meant. */
    private void requireSameRun(Saved saved, ModelCard present) {
        List<String> classes = ClassNames.differences(saved.card.classes(), present.classes());
        if (!classes.isEmpty()) {
            throw other(
                    saved,
                    "was trained with other classes than the data have now: " + FirstFew.of(classes, MOST_NAMED)
                            + "; restore the data's names to resume");
        }
        if (!saved.card.teacher().equals(present.teacher())) {
            throw other(saved, "learned from a teacher with other weights; give the teacher it began with to resume");
        }
        String start = saved.card.provenance().getOrDefault(InitialWeights.KEY, "random weights");
        if (!present.provenance().getOrDefault(InitialWeights.KEY, start).equals(start)) {
            throw other(
                    saved,
                    "belongs to a run that started from " + start + ", not from "
                            + present.provenance().get(InitialWeights.KEY)
                            + ", and goes on from its own weights; leave --init-from out to resume");
        }
        AutoencoderCard before = saved.card.autoencoder();
        AutoencoderCard now = present.autoencoder();
        if (before == null || now == null ? before != now : !before.sameLatents(now)) {
            throw other(saved, "was trained on latents of another autoencoder; give the data it began with to resume");
        }
    }

    private void requireSameNames(Saved saved) {
        Set<String> wanted = training().keySet();
        List<String> odd = Stream.concat(
                        wanted.stream().filter(name -> !saved.training.containsKey(name)),
                        saved.training.keySet().stream().filter(name -> !wanted.contains(name)))
                .toList();
        if (!odd.isEmpty()) {
            throw other(
                    saved,
                    "belongs to another architecture or recipe: one of both has no " + FirstFew.of(odd, MOST_NAMED)
                            + "; nothing else can be resumed from it");
        }
    }

    private static RetortException other(Saved saved, String what) {
        return new RetortException(
                Kind.CHECKPOINT, saved.folder + " " + what + ", or give --run another folder to start anew");
    }

    private static void requireFit(List<String> problems, Path file) {
        if (!problems.isEmpty()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " belongs to another architecture: " + problems.get(0)
                            + "; give --run another folder to start anew");
        }
    }

    private Map<String, Tensor> training() {
        Map<String, Tensor> all = new LinkedHashMap<>();
        network.state().forEach((name, tensor) -> all.put("model." + name, tensor));
        terms.parameters().forEach((name, tensor) -> all.put("extra." + name, tensor));
        for (Ema ema : averages.subList(1, averages.size())) {
            ema.weights().forEach((name, tensor) -> all.put(prefix(ema) + name, tensor));
        }
        optimizer.state().forEach((name, tensor) -> all.put("optimizer." + name, tensor));
        return all;
    }

    private static String prefix(Ema ema) {
        return "ema-" + ema.decay() + ".";
    }

    private static Map<String, Tensor> part(Map<String, Tensor> all, String prefix) {
        Map<String, Tensor> part = new LinkedHashMap<>();
        all.forEach((name, tensor) -> {
            if (name.startsWith(prefix)) {
                part.put(name.substring(prefix.length()), tensor);
            }
        });
        return part;
    }

    private static void copy(Tensor from, Tensor to) {
        try (dev.retort.torch.NoGrad off = dev.retort.torch.NoGrad.on()) {
            to.copy_(from);
        }
    }
}
