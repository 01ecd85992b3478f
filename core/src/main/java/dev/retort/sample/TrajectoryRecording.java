package dev.retort.sample;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.config.Require;
import dev.retort.data.Prompts;
import dev.retort.data.ShardFilling;
import dev.retort.data.TrajectoryFolder;
import dev.retort.data.TrajectoryManifest;
import dev.retort.data.TrajectoryShard;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.FolderLock;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Walks a teacher's guided ODE from many noises and keeps the states, so that students can learn from them without asking the
 * teacher again: what {@code retort trajectories} does, as a call. Always in fp32. Trajectory {@code i} ends in the picture that
 * {@code retort sample} draws at index {@code i} for the same seed, class and settings. Shards appear whole, so the same call goes on
 * where one was stopped.
 *
 * @param folder where the teacher lies
 * @param teacher its place as the user gave it, for the manifest
 * @param sampling how it is sampled; a solver that adds noise is refused
 * @param seed seed of all trajectories
 * @param count how many
 * @param texts what a teacher that is told texts is told of them, in turn; none for one that is told classes
 * @param shardTrajectories trajectories in a file
 * @param batch trajectories walked together
 * @param device where the teacher runs
 */
public record TrajectoryRecording(
        Path folder,
        String teacher,
        SamplingSpec sampling,
        long seed,
        int count,
        List<String> texts,
        int shardTrajectories,
        int batch,
        Device device) {
    /** Validates. */
    public TrajectoryRecording {
        Require.atLeast("count", count, 1);
        Require.atLeast("shardTrajectories", shardTrajectories, 1);
        Require.atLeast("batch", batch, 1);
        texts = List.copyOf(texts);
    }

    /** Of a teacher that is told classes: these in turn. */
    public TrajectoryRecording(
            Path folder,
            String teacher,
            SamplingSpec sampling,
            long seed,
            int count,
            int shardTrajectories,
            int batch,
            Device device) {
        this(folder, teacher, sampling, seed, count, List.of(), shardTrajectories, batch, device);
    }

    /**
     * Records what is not there yet.
     *
     * @param path the cache's folder, new or to be completed; one run at a time may write into it
     * @param provenance what stands in the manifest about where it was made
     * @param notes is told, once each, what was found
     * @param interrupted polled before every batch
     * @return the manifest
     * @throws RetortException of kind DATA where the folder holds trajectories of another teacher or other settings
     */
    public TrajectoryManifest run(
            Path path,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        try (FolderLock held = FolderLock.take(path, notes);
                Pipeline<Denoiser> model = Models.open(folder, device, Precision.FP32)) {
            model.notes().forEach(notes);
            ModelCard card = model.card();
            Sampler sampler = Sampling.sampler(model.network(), card, sampling, Precision.FP32);
            TimeGrid grid = sampling.grid().on(card.process().noiseSchedule(), sampling.steps());
            requireOde(sampler, card, grid);
            Prompts prompts = prompts(card, notes);
            TrajectoryManifest manifest = manifest(card, prompts, grid, provenance);
            new TrajectoryFolder(path).write(manifest);
            notes.accept("teacher: sha256 " + manifest.teacherSha256().substring(0, 12) + ", " + calls(sampler)
                    + " network calls for each trajectory");
            int[] states = stateOfStep(sampler, grid);
            new ShardFilling(path, manifest.shards(), batch)
                    .run(
                            index -> new Recorded(
                                    new TrajectoryShard(manifest, index, prompts), manifest, prompts, sampler, states),
                            notes,
                            progress,
                            interrupted);
            return manifest;
        }
    }

    private static int calls(Sampler sampler) {
        return Arrays.stream(sampler.plan().times())
                .mapToInt(time -> sampler.asksTwice(time) ? 2 : 1)
                .sum();
    }

    private void requireOde(Sampler sampler, ModelCard card, TimeGrid grid) {
        if (sampler.plan().addsNoise()) {
            throw new RetortException(
                    Kind.USAGE,
                    "the solver " + sampling.solver().text()
                            + " adds noise in its steps, so that its states do not follow from where they start; use one"
                            + " that does not, such as flow-heun for a flow or ddim for others");
        }
        card.trainedFor()
                .requireClasses(
                        IntStream.range(0, card.classes().size()).boxed().toList(), card.classes());
        Sampling.requireOde(card, grid, teacher);
    }

    /** What the teacher is told of all trajectories. */
    private Prompts prompts(ModelCard card, Consumer<String> notes) {
        if (texts.isEmpty() != (card.text() == null)) {
            throw new RetortException(
                            Kind.USAGE,
                            texts.isEmpty()
                                    ? teacher
                                            + " is told texts, and none are given; give those that students are to learn"
                                    : teacher + " is told classes, and texts are given; leave them out")
                    .about("prompts");
        }
        if (texts.isEmpty()) {
            return Prompts.inTurn(card, 0, count);
        }
        List<String> all = IntStream.range(0, count)
                .mapToObj(i -> texts.get(i % texts.size()))
                .toList();
        List<String> different = all.stream().distinct().toList();
        notes.accept("texts: " + different.size() + " different ones, the first \"" + all.get(0) + "\"");
        List<String> cut = different.stream()
                .filter(text -> card.text().tokenizers().stream()
                        .anyMatch(tokenizer -> !tokenizer.cut(text).isEmpty()))
                .toList();
        if (!cut.isEmpty()) {
            notes.accept("Warning: the model reads no more than the beginning of " + cut.size() + " of them, such as \""
                    + cut.get(0) + "\"");
        }
        return new Prompts.Texts(all);
    }

    private static double[] times(TimeGrid grid) {
        return grid.points().stream().mapToDouble(TimeGrid.Point::time).toArray();
    }

    private TrajectoryManifest manifest(
            ModelCard card, Prompts prompts, TimeGrid grid, Map<String, String> provenance) {
        return new TrajectoryManifest(
                TrajectoryManifest.FORMAT,
                Models.sha256(folder),
                teacher,
                sampling,
                card.process(),
                seed,
                count,
                card.network().channels(),
                card.network().height(),
                card.network().width(),
                Arrays.stream(times(grid)).boxed().toList(),
                card.classes(),
                Optional.ofNullable(card.text()).map(text -> TrajectoryManifest.Texts.of(prompts.texts(), text)),
                shardTrajectories,
                provenance);
    }

    /** Which state a step of the plan is asked about; -1 where it is a solver's trial on the way. */
    private static int[] stateOfStep(Sampler sampler, TimeGrid grid) {
        int[] steps;
        try {
            steps = sampler.plan().stepsAt(grid);
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.USAGE, e.getMessage(), e);
        }
        int[] states = new int[sampler.plan().steps().size()];
        Arrays.fill(states, -1);
        for (int state = 0; state < steps.length; state++) {
            states[steps[state]] = state;
        }
        return states;
    }

    /** One file while its trajectories are walked. */
    private record Recorded(
            TrajectoryShard shard, TrajectoryManifest manifest, Prompts prompts, Sampler sampler, int[] stateOfStep)
            implements ShardFilling.Shard {
        @Override
        public void fill(long first, int count) {
            long[] indices = LongStream.range(first, first + count).toArray();
            try (Scope scope = Scope.open()) {
                Tensor last =
                        sampler.sample(prompts.slice((int) first, count), manifest.seed(), indices, (input, step) -> {
                            if (stateOfStep[step] >= 0) {
                                shard.states(first, stateOfStep[step], Tensors.floats(input));
                            }
                        });
                shard.states(first, manifest.times().size() - 1, Tensors.floats(last));
            } catch (RuntimeException e) {
                throw TorchError.translate(
                        e, "walking " + count + " trajectories at once", "walk fewer at once", "batch");
            }
        }

        @Override
        public void write(Path file) {
            shard.write(file);
        }
    }
}
