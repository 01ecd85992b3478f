package dev.retort.train;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingPlan;
import dev.retort.data.Batch;
import dev.retort.data.Loader;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ModelFolder;
import dev.retort.nn.Taps;
import dev.retort.report.Progress;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Kernels;
import dev.retort.torch.Machine;
import dev.retort.torch.Natives;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * The one training loop. It knows neither objectives nor distillation methods by name: a stage is a list of loss terms.
 * Images seen is the only clock; all randomness is addressed by it, so a resumed run equals one never stopped.
 */
public final class Trainer implements AutoCloseable {
    /** What a user can do where memory runs out. */
    public static final String NO_MEMORY =
            "lower run.compute.microBatch or run.batch, or set run.compute.checkpointActivations=true";

    private static final int PREFETCH = 4;

    private final TrainingJob job;
    private final RunFolder run;
    private final Map<String, String> provenance;
    private final Device device;
    private final Precision precision;
    private final TermNames terms;
    private final List<String> resumed = new ArrayList<>();
    private final Map<String, Tensor> trained = new LinkedHashMap<>();
    private final List<Ema> averages = new ArrayList<>();
    private final AdamW optimizer;
    private final CheckpointStore checkpoints;
    private final NoiseSchedule schedule;
    private final RunLog log;
    private TrainState state;
    private LossGuard guard;
    private Window window = new Window();
    private Consumer<String> notes = sentence -> {};

    /**
     * Prepares a run, resuming it from its newest checkpoint where there is one.
     *
     * @param precision arithmetic of the network in training
     * @param provenance what stands in the model's card about where it was made
     */
    public Trainer(TrainingJob job, RunFolder run, Precision precision, Map<String, String> provenance) {
        job.objective().requireFit(job.source());
        requirePlan(job);
        this.job = job;
        this.run = run;
        this.provenance = provenance;
        this.precision = precision;
        device = job.network().device();
        schedule = job.objective().process().noiseSchedule();
        if (!device.isCuda()) {
            resumed.addAll(KernelRecord.settle(run.path()));
        }
        job.network().recompute(job.config().compute().checkpointActivations());
        terms = new TermNames(job.stages());
        trained.putAll(job.network().parameters());
        trained.putAll(terms.parameters());
        optimizer = new AdamW(trained, job.config().optimizer());
        for (double decay : job.config().ema().decays()) {
            averages.add(job.config()
                    .ema()
                    .average(decay, job.config().batch(), job.network().state()));
        }
        checkpoints = new CheckpointStore(run, job.network(), terms, averages, optimizer);
        state = checkpoints
                .restore(device, card(0))
                .map(this::here)
                .orElseGet(() -> TrainState.start(fittingMicroBatch(), microBatchFor(), dataImages()));
        guard = new LossGuard(state.guard());
        log = new RunLog(run, job, card(state.imagesSeen()), state.imagesSeen(), precision, device);
    }

    /** Before hours of training: how the result is to be sampled must be possible. */
    private static void requirePlan(TrainingJob job) {
        try {
            SamplingPlan.of(
                    job.objective().process(),
                    job.config().sampling(),
                    job.network().spec().learnSigma());
        } catch (RetortException e) {
            throw new RetortException(
                    Kind.CONFIG, "run.sampling: " + e.getMessage() + "; choose another solver or number of steps", e);
        }
    }

    /** A restored state, on this machine and these data. */
    private TrainState here(TrainState saved) {
        boolean same = saved.microBatchFor().equals(microBatchFor())
                || saved.microBatchFor().isEmpty() && job.config().compute().microBatch() == 0;
        int fitting = same ? saved.microBatch() : fittingMicroBatch();
        if (fitting != saved.microBatch()) {
            resumed.add("micro-batch " + fitting + " instead of " + saved.microBatch()
                    + ", as device or settings changed: sums are taken in another order, so the result is the same up to"
                    + " rounding");
        }
        if (saved.dataImages() != 0 && saved.dataImages() != dataImages()) {
            resumed.add(job.source().name() + " has " + dataImages() + " images, it had " + saved.dataImages()
                    + " when the run was saved: from here on their order is another");
        }
        return saved.on(fitting, microBatchFor(), dataImages());
    }

    private String microBatchFor() {
        ComputeConfig compute = job.config().compute();
        return device + " " + precision + ", microBatch " + compute.microBatch() + ", memoryGiB " + compute.memoryGiB()
                + ", checkpointActivations " + compute.checkpointActivations();
    }

    private long dataImages() {
        return job.source().size();
    }

    /** Images seen so far: above 0 when the run was resumed. */
    public long imagesSeen() {
        return state.imagesSeen();
    }

    /**
     * Tells, before it runs, what training on a latent cache saves and where a stopped run goes on; and while it runs, which
     * damaged pictures it leaves out.
     */
    public void announce(Consumer<String> notes) {
        this.notes = notes;
        if (!device.isCuda()) {
            notes.accept("kernels: " + Kernels.description());
        }
        log.encoding().map(EncodingCost::sentence).ifPresent(notes);
        if (imagesSeen() > 0) {
            notes.accept("resuming at " + imagesSeen() + " images");
        }
        resumed.forEach(notes);
    }

    /** Images per backward pass. */
    public int microBatch() {
        return state.microBatch();
    }

    /** As many as fit into memory in every stage. */
    private int fittingMicroBatch() {
        int batch = job.config().batch();
        int asked = job.config().compute().microBatch();
        if (asked > 0) {
            return MicroBatch.even(batch, Math.min(asked, batch));
        }
        long memory = (long) (job.config().compute().memoryGiB() * (1L << 30));
        int fitting = batch;
        for (Stage stage : job.stages()) {
            fitting = Math.min(fitting, MicroBatch.find(batch, memory, device, images -> trialPass(images, stage)));
            optimizer.dropGradients();
        }
        return fitting;
    }

    private void trialPass(int images, Stage stage) {
        Batch batch = Batch.blank(job.source(), images);
        try (Scope scope = Scope.open()) {
            micro(batch, 0, images, images, stage, 1);
        }
        window = new Window();
    }

    /**
     * Trains to the end and writes the model.
     *
     * @param progress is told of every step
     * @param interrupted polled after every step; when true, a checkpoint is saved and INTERRUPTED thrown
     * @return the model's folder
     */
    public Path run(Progress progress, BooleanSupplier interrupted) {
        long total = job.images();
        try (Loader loader = new Loader(
                job.source(),
                job.config().batch(),
                job.config().seed(),
                state.imagesSeen(),
                job.config().data().flip(),
                Math.min(job.config().compute().loaderThreads(), Natives.threads()),
                PREFETCH)) {
            while (state.imagesSeen() < total) {
                long started = System.nanoTime();
                long before = state.imagesSeen();
                Batch batch = loader.next(); // data
                loader.newlySkipped().forEach(notes);
                double loss = step(batch); // loss, backward, clip, optimiser, moving averages
                advance(batch.count(), (System.nanoTime() - started) / 1e9);
                progress.update(state.imagesSeen(), total, log.line(window, loss));
                every(job.config().log().everyImages(), before, () -> writeLog(loader));
                every(job.config().log().sampleImages(), before, this::sampleGrid);
                every(job.config().log().checkpointImages(), before, this::save);
                if (interrupted.getAsBoolean()) {
                    throw new RetortException(
                            Kind.INTERRUPTED,
                            "stopped at " + state.imagesSeen() + " images and saved to " + save()
                                    + "; the same command resumes");
                }
            }
        } catch (RetortException e) {
            throw e;
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "training", NO_MEMORY);
        }
        if (!run.list().contains(run.checkpoint(state.imagesSeen()))) {
            save();
        }
        ModelFolder.save(run.model(), averages.get(0).weights(), card(state.imagesSeen()), Dtype.F32);
        return run.model();
    }

    /** One optimiser step on a batch; returns the weighted loss. */
    private double step(Batch batch) {
        Stage stage = stageAt(state.imagesSeen());
        boolean first = state.imagesSeen() == 0 || stageAt(state.imagesSeen() - batch.count()) != stage;
        if (first) {
            guard.startStage();
        }
        double progress = (double) (state.imagesSeen() - startOf(stage)) / stage.images();
        double loss = 0;
        for (int from = 0; from < batch.count(); from += state.microBatch()) {
            try (Scope scope = Scope.open()) {
                int count = Math.min(state.microBatch(), batch.count() - from);
                loss += micro(batch, from, count, batch.count(), stage, progress);
            }
        }
        if (first) {
            requireGradients(stage);
        }
        double limit = job.config().optimizer().clip();
        double norm = optimizer.clip();
        if (guard.accept(loss, norm, state.imagesSeen())) {
            optimizer.step(job.config().optimizer().rate(state.imagesSeen(), job.images()));
            averages.forEach(ema -> ema.update(state.steps()));
            state = state.stepped();
        }
        optimizer.dropGradients();
        window.step(norm, limit > 0 && norm > limit, batch.count());
        return loss;
    }

    /** Forward and backward on part of a batch, its loss scaled to its share; returns that share of the loss. */
    private double micro(Batch batch, int from, int count, int whole, Stage stage, double progress) {
        NoisyBatch noisy = NoisyBatch.of(
                batch,
                from,
                count,
                job.config().seed(),
                schedule,
                job.objective().times(),
                job.conditioner(),
                job.dropout(),
                device);
        Set<String> wanted = new LinkedHashSet<>();
        stage.terms().forEach(weighted -> wanted.addAll(weighted.term().taps()));
        Taps taps = Taps.of(wanted);
        Tensor sum = null;
        List<Tensor> losses = new ArrayList<>(); // (N) each
        try (Autocast autocast = Autocast.to(precision, device)) {
            Tensor output =
                    job.network().forward(noisy.noisy(), noisy.time(), noisy.condition(), taps); // (N, C', H, W)
            for (Stage.Weighted weighted : stage.terms()) {
                Tensor perSample = weighted.term().perSample(output, taps, noisy); // (N)
                losses.add(perSample);
                Tensor term = Ops.mul(perSample.sum(), weighted.at(progress) / whole);
                sum = sum == null ? term : sum.add(term);
            }
        }
        sum.backward();
        // Read before, they would have a GPU wait for the backward pass to be asked for.
        for (int i = 0; i < losses.size(); i++) {
            window.add(
                    terms.of(stage.terms().get(i).term()),
                    Tensors.floats(losses.get(i)),
                    noisy.times(),
                    schedule.noisiestTime(),
                    i == 0);
        }
        return Tensors.scalar(sum);
    }

    /** A term without taps looks at the output, which all of the network leads to. */
    private void requireGradients(Stage stage) {
        List<String> unreached = new ArrayList<>(optimizer.unreached());
        unreached.removeAll(terms.parameters().keySet());
        boolean all = stage.terms().stream()
                .anyMatch(weighted -> weighted.term().taps().isEmpty());
        if (all && !unreached.isEmpty()) {
            throw new IllegalStateException("no gradient reaches " + unreached + " in stage " + stage.name());
        }
    }

    private void advance(int images, double seconds) {
        state = state.advanced(images, seconds, guard.memory());
    }

    private Stage stageAt(long imagesSeen) {
        long end = 0;
        for (Stage stage : job.stages()) {
            end += stage.images();
            if (imagesSeen < end) {
                return stage;
            }
        }
        return job.stages().get(job.stages().size() - 1);
    }

    private long startOf(Stage wanted) {
        long start = 0;
        for (Stage stage : job.stages()) {
            if (stage == wanted) {
                return start;
            }
            start += stage.images();
        }
        throw new IllegalArgumentException(wanted.name());
    }

    private void every(long images, long before, Runnable action) {
        if (images > 0 && state.imagesSeen() / images > before / images) {
            action.run();
        }
    }

    private void writeLog(Loader loader) {
        Map<String, Object> values = window.summary();
        values.put("stage", stageAt(state.imagesSeen() - 1).name());
        values.put("lr", job.config().optimizer().rate(state.imagesSeen(), job.images()));
        values.put("skipped-steps", state.guard().skipped());
        values.put("data-wait-share", loader.waitShare());
        values.put("data-skipped", loader.skipped().size());
        values.put("resident-bytes", Machine.residentBytes());
        values.put("seconds", state.seconds());
        log.write(state.imagesSeen(), values, window.imagesPerSecond());
        loader.resetWait();
        window = new Window();
    }

    private void sampleGrid() {
        log.grid(state.imagesSeen(), averages.get(0).weights(), card(state.imagesSeen()));
        window = new Window();
    }

    private Path save() {
        return checkpoints.save(state, card(state.imagesSeen()));
    }

    private ModelCard card(long imagesSeen) {
        ModelCard card = ModelCard.of(
                (DitSpec) job.network().spec(),
                job.objective().process(),
                job.config().sampling(),
                job.source().classNames(),
                job.source().name(),
                imagesSeen,
                job.config().seed(),
                job.teacherHash(),
                provenance);
        return job.source().autoencoder().map(card::withAutoencoder).orElse(card);
    }

    @Override
    public void close() {
        log.close();
        optimizer.close();
        averages.forEach(Ema::close);
        job.stages().forEach(stage -> stage.terms()
                .forEach(weighted -> weighted.term().close()));
    }
}
