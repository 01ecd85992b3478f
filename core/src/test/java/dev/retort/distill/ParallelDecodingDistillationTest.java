package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.FlowGrid;
import dev.retort.card.GuidanceRange;
import dev.retort.card.LevelGrid;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.run.RunFolder;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A recipe whose student has many heads, of which the file that it leaves has as few as its samplers need. */
class ParallelDecodingDistillationTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final LossConfig HEADS = new ParallelDecoding(LossWeight.ONE, 16, List.of(4, 2, 1), true);
    private static final SamplingSpec PARALLEL =
            SamplingSpec.of("parallel-euler", 4, 1).with(4, new FlowGrid.Flow(2, 0));

    @TempDir
    static Path temp;

    private static Path teacher;

    private static RunConfig run(SamplingSpec sampling) {
        return new RunConfig(
                7,
                8,
                new DataConfig.Shapes("train", 16, false),
                new OptimizerConfig(1e-2, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.5)),
                new ComputeConfig("cpu", "fp32", false, 3, 0, 1),
                new LogConfig(8, 0, 1, 16),
                sampling);
    }

    @BeforeAll
    static void a_teacher() {
        TrainConfig config = new TrainConfig(
                64, new DitConfig("2x32x2/4", 4, 0.1, false), FLOW, run(SamplingSpec.of("flow-euler", 4, 1)));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static Recipe recipe(TeacherConfig from, StudentStart start, SamplingSpec sampling, LossConfig... losses) {
        return new Recipe(
                from,
                new DitConfig("2x32x2/4", 4, 0.1, false),
                start,
                FLOW,
                List.of(new StageConfig("heads", 48, List.of(losses))),
                run(sampling));
    }

    private static Recipe recipe(SamplingSpec sampling, LossConfig... losses) {
        return recipe(
                new TeacherConfig(teacher.toString(), "", 1.5, Optional.empty()),
                new StudentStart.Cut(),
                sampling,
                losses);
    }

    private static Path distil(Recipe recipe, String name, int stopAt) {
        AtomicInteger steps = new AtomicInteger();
        return Distillation.run(
                recipe,
                temp.resolve(name),
                Map.of(),
                n -> {},
                (d, t, s) -> {},
                () -> steps.incrementAndGet() == stopAt);
    }

    private static Path newest(String name) {
        return new RunFolder(temp.resolve(name)).newest().orElseThrow();
    }

    private static float[] sampled(Path folder, int steps) {
        ModelCard card = Models.card(folder);
        try (Pipeline<Denoiser> model = Models.open(folder, Device.CPU, Precision.FP32);
                Scope scope = Scope.open()) {
            return Tensors.floats(
                    Sampling.sampler(model.network(), card, card.sampling().withSteps(steps), Precision.FP32)
                            .sample(new Prompts.Labels(new int[] {1, 0}), 1, new long[] {0, 1}));
        }
    }

    @Test
    void its_file_has_the_heads_that_its_samplers_need_and_draws_what_all_of_them_draw_in_every_number_of_steps()
            throws Exception {
        Path student = distil(recipe(PARALLEL, HEADS), "heads", 0);
        assertThatThrownBy(() -> distil(recipe(PARALLEL, HEADS), "stopped", 2))
                .hasMessageContaining("the same command resumes");
        distil(recipe(PARALLEL, HEADS), "stopped", 0);
        for (String file : new String[] {"training.safetensors", "model.safetensors"}) {
            assertThat(Files.mismatch(
                            newest("heads").resolve(file), newest("stopped").resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
        ModelCard card = Models.card(student);
        assertThat(Models.card(newest("heads")).network().outputs()).isEqualTo(16);
        assertThat(card.network().outputs()).isEqualTo(4);
        assertThat(card.trainedFor().text())
                .isEqualTo("1, 2 or 4 steps of parallel-euler on the grid flow:shift=2, guidance 1.5 baked in");
        float[][] drawn = new float[3][];
        for (int i = 0; i < 3; i++) {
            drawn[i] = sampled(student, 1 << i);
            assertThat(drawn[i]).containsExactly(sampled(newest("heads"), 1 << i), within(2e-6f));
        }
        assertThat(drawn[0]).isNotEqualTo(drawn[1]);
        assertThat(drawn[1]).isNotEqualTo(drawn[2]);
        assertThatThrownBy(() -> sampled(student, 3)).hasMessageContaining("of this one's 4 it can in 1, 2, 4");
        assertThatThrownBy(() -> SamplingPlan.of(card, card.sampling().with(new SolverSpec.FlowEuler())))
                .hasMessageContaining("has 4, each for its own part of the way; use parallel-euler");
        assertThatThrownBy(() -> card.trainedFor()
                        .requireFit(
                                card.process().noiseSchedule(), card.sampling().with(1, new FlowGrid.Flow(3, 0))))
                .as("from noise to image in one step, but by other factors of the heads")
                .hasMessageContaining("grid is flow:shift=3");
        assertThatThrownBy(() -> distil(
                        recipe(
                                new TeacherConfig(student.toString(), "", 1, Optional.empty()),
                                new StudentStart.Random(),
                                SamplingSpec.of("flow-euler", 4, 1),
                                new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)),
                        "no",
                        0))
                .hasMessageContaining("a network of 4 outputs");
        Path again = distil(
                recipe(
                        new TeacherConfig(teacher.toString(), "", 1.5, Optional.empty()),
                        new StudentStart.From(student.toString()),
                        PARALLEL,
                        HEADS),
                "again",
                0);
        assertThat(Models.card(again).network().outputs()).isEqualTo(4);
    }

    @Test
    void a_student_of_one_step_is_left_with_an_ordinary_network() {
        LossConfig once = new ParallelDecoding(LossWeight.ONE, 8, List.of(1), false);
        Path student = distil(
                recipe(
                        new TeacherConfig(teacher.toString(), "", 1, Optional.of(new GuidanceRange(1, 3))),
                        new StudentStart.Cut(),
                        SamplingSpec.of("parallel-euler", 1, 2),
                        once),
                "once",
                0);
        assertThat(Models.card(student).network().outputs()).isEqualTo(1);
        assertThat(sampled(student, 1)).containsExactly(sampled(newest("once"), 1), within(2e-6f));
    }

    @Test
    void what_cannot_work_together_is_refused_by_name() {
        LossConfig output = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);
        assertThatThrownBy(() -> distil(recipe(PARALLEL, HEADS, output), "no", 0))
                .hasMessageContaining("parallel-decoding with 16 heads stands beside output");
        LossConfig map = new MapLoss.FlowMap(LossWeight.ONE, false, 0.5, 0.2, 0.005, 0.03);
        assertThatThrownBy(() -> distil(recipe(PARALLEL, HEADS, map), "no", 0)).hasMessageContaining("flow-map");
        LossConfig fewer = new ParallelDecoding(LossWeight.ONE, 8, List.of(4, 2, 1), true);
        assertThatThrownBy(() -> distil(recipe(PARALLEL, HEADS, fewer), "no", 0))
                .hasMessageContaining("stands beside parallel-decoding");
        assertThatThrownBy(() -> distil(recipe(SamplingSpec.of("flow-euler", 4, 1), HEADS), "no", 0))
                .hasMessageContaining("run.sampling.solver is flow-euler, expected parallel-euler");
        assertThatThrownBy(() -> distil(recipe(PARALLEL.withSteps(8), HEADS), "no", 0))
                .hasMessageContaining("steps is 8, but the model was trained for 1, 2 or 4 steps alone");
        assertThatThrownBy(() -> distil(recipe(PARALLEL, output), "unplanned", 0))
                .hasMessageContaining("of this one's 1 it can in 1; take flow-euler");
        assertThatThrownBy(() -> distil(recipe(PARALLEL.with(4, new LevelGrid.Karras()), HEADS), "no", 0))
                .hasMessageContaining("needs a grid whose points for 2 steps are among those for 16");
        assertThatThrownBy(() -> new ParallelDecoding(LossWeight.ONE, 16, List.of(3), true))
                .hasMessageContaining("numbers that divide the heads, of which there are 16");
        assertThat(temp.resolve("no")).doesNotExist();
    }
}
