package dev.retort.cli.demo;

import dev.retort.data.Prompts;
import dev.retort.distill.Distillation;
import dev.retort.distill.Recipe;
import dev.retort.distill.TeacherConfig;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.AtomicWrite;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.run.RunFolder;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The parts of the demo, each for about a second, in a folder that does not stay: what they cost there is what they will
 * cost. It runs the very code of the demo, with loader, log and moving averages.
 *
 * @param teaching how the teacher is trained
 * @param recipe how the student is distilled
 * @param alone how the student's network is trained without a teacher
 * @param device where images are drawn
 * @param precision the arithmetic of drawing
 * @param batch images drawn together
 */
public record Trial(
        TrainConfig teaching, Recipe recipe, TrainConfig alone, Device device, Precision precision, int batch) {
    /** Seconds, from the first step on, in which caches fill and Java compiles. */
    private static final double WARM_UP = 1.0;

    private static final double MEASURED = 1.2;

    /**
     * Takes the pace of this machine.
     *
     * @param run the demo's folder, beside whose files the trial writes
     * @param start seconds that this process took to start
     * @param interrupted polled after every step; when true, INTERRUPTED is thrown and nothing stays
     */
    public Pace pace(Path run, double start, BooleanSupplier interrupted) {
        return AtomicWrite.scratch(run.resolve("trial"), folder -> paceIn(folder, start, interrupted));
    }

    private Pace paceIn(Path folder, double start, BooleanSupplier interrupted) {
        Path network = folder.resolve("alone");
        Path teacher = folder.resolve("teacher");
        Path student = folder.resolve("student");
        Consumer<String> silent = note -> {};
        Stopwatch untaught = time(interrupted, watch -> Training.run(alone, network, Map.of(), silent, watch, watch));
        Stopwatch teaches = time(interrupted, watch -> Training.run(teaching, teacher, Map.of(), silent, watch, watch));
        Stopwatch learns = time(
                interrupted, watch -> Distillation.run(taughtBy(teacher), student, Map.of(), silent, watch, watch));
        return new Pace(
                teaches.secondsPerImage(),
                learns.secondsPerImage(),
                untaught.secondsPerImage(),
                drawing(teacher),
                drawing(student),
                teaches.secondsAround(),
                start);
    }

    /** Runs until the watch stops it, which the trainer takes for an interruption: it saves and throws. */
    private static Stopwatch time(BooleanSupplier interrupted, Consumer<Stopwatch> part) {
        Stopwatch watch = new Stopwatch(System::nanoTime, WARM_UP, MEASURED, interrupted);
        try {
            part.accept(watch);
        } catch (RetortException e) {
            if (e.kind() != Kind.INTERRUPTED) {
                throw e;
            }
            if (!watch.measured()) {
                throw new RetortException(
                        Kind.INTERRUPTED, "stopped before anything was trained; the same command starts again", e);
            }
        }
        watch.end();
        return watch;
    }

    private Recipe taughtBy(Path teacher) {
        TeacherConfig other = new TeacherConfig(
                teacher.toString(), recipe.teacher().data(), recipe.teacher().guidance());
        return new Recipe(other, recipe.student(), recipe.init(), recipe.objective(), recipe.stages(), recipe.run());
    }

    /** Seconds to draw an image, from the second batch. */
    private double drawing(Path run) {
        Path newest = RunFolder.own(run).orElseThrow();
        try (Pipeline<Denoiser> model = Models.open(newest, device, precision);
                ImageCodec codec = ImageCodec.of(model.card(), device)) {
            draw(model, codec);
            long started = System.nanoTime();
            draw(model, codec);
            return (System.nanoTime() - started) / 1e9 / batch;
        }
    }

    private void draw(Pipeline<Denoiser> model, ImageCodec codec) {
        int classes = model.card().classes().size();
        Prompts inTurn = new Prompts.Labels(
                IntStream.range(0, batch).map(i -> i % classes).toArray());
        Sampler sampler =
                Sampling.sampler(model.network(), model.card(), model.card().sampling(), precision);
        new SampleJob(sampler, codec, 0, batch).sample(inTurn, Progress.NONE, (first, pixels, n) -> {});
    }
}
