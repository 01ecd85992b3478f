package dev.retort.train;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.model.ModelCard;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Saves and restores everything a run needs to continue: the first moving average as a model that can be sampled, the
 * other averages, the weights in training, the optimiser, and the clock.
 */
final class CheckpointStore {
    private static final int KEEP = 2;
    private static final String TRAINING = "training.safetensors";
    private static final String STATE = "state.json";

    private final RunFolder run;
    private final Layer network;
    private final Map<String, Tensor> extra;
    private final List<Ema> averages;
    private final AdamW optimizer;

    /** @param extra parameters trained beside the network's (connectors) */
    CheckpointStore(RunFolder run, Layer network, Map<String, Tensor> extra, List<Ema> averages, AdamW optimizer) {
        this.run = run;
        this.network = network;
        this.extra = extra;
        this.averages = averages;
        this.optimizer = optimizer;
    }

    /** Writes a checkpoint, whole or not at all, then deletes older ones but for the last. */
    Path save(TrainState state, ModelCard card) {
        Path folder = run.checkpoint(state.imagesSeen());
        AtomicWrite.folder(folder, inside -> {
            ModelFolder.write(inside, averages.get(0).weights(), card, Dtype.F32);
            ModelFolder.writer(training(), Dtype.F32).write(inside.resolve(TRAINING));
            AtomicWrite.text(inside.resolve(STATE), JsonMapper.shared().writeValueAsString(state) + "\n");
        });
        run.prune(KEEP);
        return folder;
    }

    /** Continues from the newest checkpoint, if there is one. */
    Optional<TrainState> restore(Device device) {
        List<Path> all = run.list();
        if (all.isEmpty()) {
            return Optional.empty();
        }
        Path newest = all.get(all.size() - 1);
        try (Scope scope = Scope.open()) {
            TrainState state = state(newest);
            Map<String, Tensor> saved = ModelFolder.read(newest.resolve(TRAINING), device);
            Map<String, Tensor> average = ModelFolder.read(newest.resolve(ModelFolder.WEIGHTS), device);
            if (!saved.keySet().equals(training().keySet())) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        newest + " belongs to another architecture or recipe; give --run another folder to start anew");
            }
            // The average goes in first and is overwritten: both sets of weights are checked by name and shape.
            requireFit(network.load(average), newest.resolve(ModelFolder.WEIGHTS));
            requireFit(network.load(part(saved, "model.")), newest.resolve(TRAINING));
            part(saved, "extra.").forEach((name, tensor) -> copy(tensor, extra.get(name)));
            averages.get(0).restore(average);
            for (Ema ema : averages.subList(1, averages.size())) {
                ema.restore(part(saved, prefix(ema)));
            }
            optimizer.restore(part(saved, "optimizer."));
            return Optional.of(state);
        }
    }

    private static TrainState state(Path checkpoint) {
        Path file = checkpoint.resolve(STATE);
        try {
            return JsonMapper.shared().readValue(Files.readString(file), TrainState.class);
        } catch (IOException | JacksonException e) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " cannot be read ("
                            + e.getMessage().lines().findFirst().orElse("") + "); delete " + checkpoint
                            + " to resume from the one before",
                    e);
        }
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
        extra.forEach((name, tensor) -> all.put("extra." + name, tensor));
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
