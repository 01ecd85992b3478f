package dev.retort.train;

import dev.retort.data.Batch;
import dev.retort.data.Loader;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.report.Progress;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Kernels;
import dev.retort.torch.Machine;
import dev.retort.torch.MatmulPeak;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import dev.retort.torch.TorchError;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The one training loop. It knows neither tasks, players nor methods by name: a stage is a list of phases, a phase trains a
 * player by a list of losses. Images seen is the only clock; all randomness is addressed by it, so a resumed run equals one
 * never stopped.
 */
public final class Trainer implements AutoCloseable {
    /** What a user can do where memory runs out. */
    public static final String NO_MEMORY =
            "lower run.compute.microBatch or run.batch, or set run.compute.checkpointActivations=true";

    private static final int PREFETCH = 4;

    private final Task task;
    private final List<Stage> stages;
    private final LoopConfig config;
    private final RunFolder run;
    private final Device device;
    private final Precision precision;
    private final List<String> resumed = new ArrayList<>();
    private final TermNames terms;
    private final Players players;
    private final Steps steps;
    private final CheckpointStore checkpoints;
    private final Optional<EncodingCost> encoding;
    private final RunLog log;
    private final RunWatch watch;
    private TrainState state;
    private double loss = Double.NaN;
    private StepStatistics statistics = new StepStatistics();
    private Consumer<String> notes = sentence -> {};

    /**
     * Prepares a run, resuming it from its newest checkpoint where there is one.
     *
     * @param players everybody who takes part; the trainer closes those alone who are gone before its last stage
     * @param stages what happens, one stage after another; their losses are closed with this
     * @param precision arithmetic of the losses; players have their own
     */
    public Trainer(
            Task task,
            List<Player> players,
            List<Stage> stages,
            LoopConfig config,
            RunFolder run,
            Precision precision) {
        this.task = task;
        this.stages = List.copyOf(stages);
        this.config = config;
        this.run = run;
        this.precision = precision;
        terms = new TermNames(stages);
        this.players = new Players(players, stages, terms, task.published(), config.batch());
        device = this.players.all().get(task.published()).network().device();
        if (!device.isCuda()) {
            resumed.addAll(KernelRecord.settle(run.path()));
        }
        players.forEach(player -> player.recompute(config.compute().checkpointActivations()));
        steps = new Steps(task, this.players, terms, config.seed(), precision, device);
        checkpoints = new CheckpointStore(run, this.players.states(), new LinkedHashMap<>(this.players.result()));
        state = checkpoints
                .restore(device, task::otherRun, saved -> stoodIn(lastStage(saved.imagesSeen())))
                .map(this::here)
                .orElseGet(() -> TrainState.start(fittingMicroBatch(stages), microBatchFor(), dataImages()));
        encoding = task.encoding();
        log = new RunLog(run, state.imagesSeen(), images(), MatmulPeak.of(precision, device), encoding.orElse(null));
        watch = new RunWatch(log, config.log(), RunEvents.tail(run.log(), 0).entries());
    }

    /** Everybody as in the stage in which a run was saved; who had gone by then. */
    private Set<String> stoodIn(Stage stage) {
        players.dismiss(stage);
        players.attach(stage, false);
        return stage.gone();
    }

    /** A restored state, on this machine and these data. */
    private TrainState here(TrainState saved) {
        boolean same = saved.microBatchFor().equals(microBatchFor())
                || saved.microBatchFor().isEmpty() && config.compute().microBatch() == 0;
        List<Stage> left = stages.subList(stages.indexOf(lastStage(saved.imagesSeen())), stages.size());
        int fitting = same ? saved.microBatch() : fittingMicroBatch(left);
        if (fitting != saved.microBatch()) {
            resumed.add("micro-batch " + fitting + " instead of " + saved.microBatch()
                    + ", as device or settings changed: sums are taken in another order, so the result is the same up to"
                    + " rounding");
        }
        if (saved.dataImages() != 0 && saved.dataImages() != dataImages()) {
            resumed.add(task.source().name() + " has " + dataImages() + " images, it had " + saved.dataImages()
                    + " when the run was saved: from here on their order is another");
        }
        return saved.on(fitting, microBatchFor(), dataImages());
    }

    private String microBatchFor() {
        ComputeConfig compute = config.compute();
        return device + " " + precision + ", microBatch " + compute.microBatch() + ", memoryGiB " + compute.memoryGiB()
                + ", checkpointActivations " + compute.checkpointActivations();
    }

    private long dataImages() {
        return task.source().size();
    }

    /** Images seen so far: above 0 when the run was resumed. */
    public long imagesSeen() {
        return state.imagesSeen();
    }

    /** Images of all stages. */
    public long images() {
        return stages.stream().mapToLong(Stage::images).sum();
    }

    /**
     * Tells, before it runs, what training on a latent cache saves and where a stopped run goes on; and while it runs, which
     * damaged pictures it leaves out.
     */
    public void announce(Consumer<String> notes) {
        this.notes = notes;
        watch.announce(notes);
        if (!device.isCuda()) {
            notes.accept("kernels: " + Kernels.description());
        }
        encoding.map(EncodingCost::sentence).ifPresent(notes);
        if (imagesSeen() > 0) {
            notes.accept("resuming at " + imagesSeen() + " images");
        }
        resumed.forEach(notes);
    }

    /** Images per backward pass. */
    public int microBatch() {
        return state.microBatch();
    }

    /** As many as fit into memory in every phase of the stages. */
    private int fittingMicroBatch(List<Stage> stages) {
        int batch = config.batch();
        int asked = config.compute().microBatch();
        if (asked > 0) {
            return MicroBatch.even(batch, Math.min(asked, batch));
        }
        long memory = (long) (config.compute().memoryGiB() * (1L << 30));
        int fitting = batch;
        for (Stage stage : stages) {
            if (!stage.phases().stream().allMatch(Phase::isWholeBatch)) {
                fitting =
                        Math.min(fitting, MicroBatch.find(batch, memory, device, images -> steps.trial(images, stage)));
            }
        }
        return fitting;
    }

    /**
     * Trains to the end and writes the result.
     *
     * @param progress is told of every step
     * @param interrupted polled after every step; when true, a checkpoint is saved and INTERRUPTED thrown
     * @return the result's folder
     */
    public Path run(Progress progress, BooleanSupplier interrupted) {
        try {
            runTo(images(), progress, interrupted);
        } catch (RuntimeException e) {
            RuntimeException why = TorchError.translate(e, "training", NO_MEMORY);
            log.stopped(state.imagesSeen(), why);
            throw why;
        }
        if (!run.list().contains(run.checkpoint(state.imagesSeen()))) {
            save();
        }
        Path result = task.publish(run, players.result(), state.imagesSeen());
        writeAdapter();
        watch.finished(state.imagesSeen(), result);
        return result;
    }

    /** Where the result differs from what it began with by adapters alone, these are a file too. */
    private void writeAdapter() {
        List<Stage> ofResult = stages.stream()
                .filter(stage ->
                        stage.phases().stream().anyMatch(phase -> phase.player().equals(task.published())))
                .toList();
        boolean adapted = stages.get(stages.size() - 1).adapters().containsKey(task.published());
        if (adapted && ofResult.size() == 1) {
            notes.accept(TrainedAdapter.write(
                    run.adapter(), players.all().get(task.published()).network(), players.result()));
        } else if (adapted) {
            notes.accept(
                    "the adapter of the last stage is written merged alone: it would add to weights that stages before"
                            + " it trained, which are no model of their own; 'retort lora extract' makes an adapter of any two models");
        }
    }

    private void runTo(long end, Progress progress, BooleanSupplier interrupted) {
        try (Loader loader = new Loader(
                task.source(),
                config.batch(),
                config.seed(),
                state.imagesSeen(),
                config.flip(),
                Math.min(config.compute().loaderThreads(), Natives.threads()),
                PREFETCH)) {
            while (state.imagesSeen() < end) {
                long started = System.nanoTime();
                long before = state.imagesSeen();
                Batch batch = task.prepared(loader.next());
                loader.newlySkipped().forEach(notes);
                step(batch);
                state = state.advanced(batch.count(), (System.nanoTime() - started) / 1e9);
                progress.update(Math.min(end, state.imagesSeen()), images(), log.line(statistics, loss));
                every(config.log().everyImages(), before, () -> writeLog(loader));
                every(config.log().sampleImages(), before, this::picture);
                every(config.log().checkpointImages(), before, this::save);
                watch.requireInside(this::save);
                if (interrupted.getAsBoolean()) {
                    throw new RetortException(
                            Kind.INTERRUPTED,
                            "stopped at " + state.imagesSeen() + " images and saved to " + save()
                                    + "; the same command resumes");
                }
            }
        }
    }

    private void step(Batch batch) {
        Steps.At at = at(state.imagesSeen());
        if (state.imagesSeen() == 0 || lastStage(state.imagesSeen()) != at.stage()) {
            players.begin(at.stage());
            watch.began(state.imagesSeen(), at.stage().name());
        }
        loss = steps.step(batch, at, state.microBatch(), statistics).orElse(loss);
    }

    /** The stage of the last step before a time. */
    private Stage lastStage(long imagesSeen) {
        return at(imagesSeen - config.batch()).stage();
    }

    /** Where the run stands at a time. */
    private Steps.At at(long imagesSeen) {
        long start = 0;
        Stage stage = stages.get(0);
        for (int i = 1; i < stages.size() && imagesSeen >= start + stage.images(); i++) {
            start += stage.images();
            stage = stages.get(i);
        }
        Clock clock = new Clock(
                imagesSeen,
                imagesSeen / config.batch(),
                (double) (imagesSeen - start) / stage.images(),
                (double) imagesSeen / images());
        return new Steps.At(stage, clock, imagesSeen - start, images());
    }

    private void every(long images, long before, Runnable action) {
        if (LogConfig.isDue(images, before, state.imagesSeen())) {
            action.run();
        }
    }

    private void writeLog(Loader loader) {
        Map<String, Object> values = statistics.summary();
        values.put(TrainingMetric.STAGE, at(state.imagesSeen() - 1).stage().name());
        players.learners().forEach(learner -> {
            String whose = learner.name().equals(task.published()) ? "" : "/" + learner.name();
            values.put("lr" + whose, at(state.imagesSeen()).rate(learner));
            values.put("skipped-steps" + whose, learner.skipped());
        });
        values.put("data-wait-share", loader.waitShare());
        values.put("data-skipped", loader.skipped().size());
        values.put("resident-bytes", Machine.residentBytes());
        values.put("seconds", state.seconds());
        watch.line(state.imagesSeen(), values, task.macs());
        loader.resetWait();
        statistics = new StepStatistics();
    }

    private void picture() {
        task.preview().ifPresent(preview -> {
            watch.picture(state.imagesSeen(), preview.at(players.result()));
            Stage trained = at(state.imagesSeen() - 1).stage();
            Map<String, Object> found = steps.heldOut(trained, state.microBatch());
            found.putAll(task.keepBest(run, players.result(), state.imagesSeen()));
            watch.heldOut(state.imagesSeen(), found);
            statistics = new StepStatistics();
        });
    }

    private Path save() {
        Path saved = checkpoints.save(state, inside -> task.write(inside, players.result(), state.imagesSeen()));
        log.saved(state.imagesSeen(), saved);
        return saved;
    }

    @Override
    public void close() {
        log.close();
        players.close();
        terms.all().forEach(Loss::close);
    }
}
