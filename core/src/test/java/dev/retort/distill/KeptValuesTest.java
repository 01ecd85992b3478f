package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Network;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.report.Progress;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a short training, a distillation in three stages and their samples give, as it was when this was written; wide enough
 * for the kernels of any CPU. {@code bench/golden/compare.sh} compares two commits to the bit.
 */
class KeptValuesTest {
    /** Every sum is the same but for rounding; what steps amplify of it stays far below. */
    private static final double RELATIVE = 1e-3;

    @TempDir
    static Path temp;

    static Path teacher;
    static Path student;

    private static RunConfig run(long seed) {
        return new RunConfig(
                seed,
                8,
                new DataConfig.Shapes("train", 16, false),
                new OptimizerConfig(2e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0.05, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 4, 0, 1),
                new LogConfig(32, 0, 1, 1000),
                SamplingSpec.of("flow-heun", 3, 2));
    }

    @BeforeAll
    static void both() {
        TrainConfig config =
                new TrainConfig(96, new DitConfig("3x32x2/4", 2, 0.1, true), new Objective.Flow(0, 1, 1), run(3));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, Progress.NONE, () -> false);
        LossConfig diffusion = new LossConfig.Diffusion(LossWeight.ramp(1, 0.5));
        LossConfig first = new Feature(LossWeight.ramp(0, 0.5), "uniform", true, 2);
        LossConfig second = new Feature(LossWeight.of(0.1), "0-0,1-2", false, 0);
        LossConfig output = new LossConfig.Output(LossWeight.ramp(0, 1), Prediction.X0);
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1.5),
                new DitConfig("2x24x2/4", 2, 0.1, true),
                new StudentStart.Random(),
                new Objective.Flow(0, 1, 1),
                List.of(
                        new StageConfig("warmup", 32, List.of(diffusion, first)),
                        new StageConfig("feature", 32, List.of(output, second)),
                        new StageConfig(
                                "joint",
                                64,
                                List.of(
                                        diffusion,
                                        output,
                                        first,
                                        second,
                                        new LossConfig.OutputDistribution(LossWeight.ramp(0.01, 0), 2)))),
                run(5));
        student = Distillation.run(recipe, temp.resolve("student"), Map.of(), n -> {}, Progress.NONE, () -> false);
    }

    private static double[] losses(String run, String term) {
        return lines(temp.resolve(run).resolve("log.jsonl")).stream()
                .filter(line -> line.containsKey("loss/" + term))
                .mapToDouble(line -> ((Number) line.get("loss/" + term)).doubleValue())
                .toArray();
    }

    /** The first values of the first picture and those of the middle of the last. */
    private static double[] samples(Path model) {
        double[] values = new double[8];
        try (Pipeline<Network> loaded = Models.load(model, Device.CPU);
                ImageCodec codec = ImageCodec.of(loaded.card(), Device.CPU)) {
            var sampler = Sampling.sampler(
                    loaded.network(), loaded.card(), loaded.card().sampling(), Precision.FP32);
            new SampleJob(sampler, codec, 9, 2)
                    .sample(new Prompts.Labels(new int[] {3, 7}), Progress.NONE, (from, pixels, n) -> {
                        for (int i = 0; i < 4; i++) {
                            values[i] = pixels[i];
                            values[4 + i] = pixels[pixels.length - 128 + i];
                        }
                    });
        }
        return values;
    }

    private static void kept(double[] losses, double... kept) {
        assertThat(losses).as(Arrays.toString(losses)).hasSameSizeAs(kept);
        for (int i = 0; i < kept.length; i++) {
            assertThat(losses[i]).isCloseTo(kept[i], within(RELATIVE * kept[i]));
        }
    }

    private static void drawn(double[] values, double... kept) {
        assertThat(values).containsExactly(kept, within(RELATIVE));
    }

    @Test
    void a_short_training_loses_as_much_as_it_did() {
        kept(losses("teacher", "diffusion"), 1.483657, 1.403911, 1.327167);
    }

    @Test
    void a_distillation_in_three_stages_loses_as_much_as_it_did() {
        kept(losses("student", "diffusion"), 1.471761, 1.405392, 1.385229);
        kept(losses("student", "feature"), 1.547983, 1.415256, 1.407563);
        kept(losses("student", "feature-2"), 1.886974, 1.620549, 1.651840);
        kept(losses("student", "output"), 0.002468665, 0.001891762, 0.002046541);
        kept(losses("student", "output-distribution"), 0.003149266, 0.002652346);
    }

    @Test
    void their_samples_are_as_they_were() {
        drawn(samples(teacher), -1, -0.384554, -0.411582, 0.507161, 1, -0.182508, -0.270363, -0.489873);
        drawn(samples(student), -1, -0.474271, -0.553122, 0.348071, 1, -0.171129, -0.274144, -0.491302);
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
