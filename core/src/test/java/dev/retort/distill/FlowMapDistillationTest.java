package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.GuidanceRange;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.SolverSpec;
import dev.retort.card.TrainedFor;
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

/** A recipe whose student is a flow map. */
class FlowMapDistillationTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final LossConfig MAP = new MapLoss.FlowMap(LossWeight.ONE, false, 0.5, 0.2, 0.005, 0.03);

    @TempDir
    static Path temp;

    private static Path teacher;

    private static RunConfig run(String solver, String precision) {
        return new RunConfig(
                7,
                8,
                new DataConfig.Shapes("train", 16, false),
                new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", precision, false, 3, 0, 1),
                new LogConfig(8, 0, 1, 16),
                SamplingSpec.of(solver, 4, 1));
    }

    @BeforeAll
    static void a_teacher() {
        TrainConfig config =
                new TrainConfig(64, new DitConfig("2x32x2/4", 4, 0.1, false), FLOW, run("flow-euler", "fp32"));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static Recipe recipe(Objective objective, RunConfig run, LossConfig... losses) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1, Optional.of(new GuidanceRange(1, 3))),
                new DitConfig("2x32x2/4", 4, 0.1, false),
                new StudentStart.Cut(),
                objective,
                List.of(new StageConfig("map", 32, List.of(losses))),
                run);
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

    @Test
    void its_file_samples_in_any_number_of_steps_and_a_run_that_was_stopped_ends_with_the_same_bytes()
            throws Exception {
        Recipe recipe =
                recipe(FLOW, run("flow-map", "fp32"), MAP, new LossConfig.Output(LossWeight.ONE, Prediction.FLOW));
        Path student = distil(recipe, "map", 0);
        assertThatThrownBy(() -> distil(recipe, "stopped", 2)).hasMessageContaining("the same command resumes");
        distil(recipe, "stopped", 0);
        assertThat(Files.mismatch(
                        new RunFolder(temp.resolve("map"))
                                .newest()
                                .orElseThrow()
                                .resolve("training.safetensors"),
                        new RunFolder(temp.resolve("stopped"))
                                .newest()
                                .orElseThrow()
                                .resolve("training.safetensors")))
                .isEqualTo(-1);
        ModelCard card = Models.card(student);
        assertThat(card.network().scalars()).isEqualTo(new ScalarInputs(true, 1000));
        assertThat(card.trainedFor().text())
                .isEqualTo("any number of steps of flow-map, guidance told from 1.0 to 3.0");
        try (Pipeline<Denoiser> model = Models.open(student, Device.CPU, Precision.FP32);
                Scope scope = Scope.open()) {
            for (int steps : new int[] {1, 2, 3}) {
                float[] map = sampled(model, card, card.sampling().withSteps(steps));
                float[] euler = sampled(
                        model,
                        card.withTrainedFor(TrainedFor.ANY),
                        card.sampling().withSteps(steps).with(new SolverSpec.FlowEuler()));
                assertThat(map).isNotEqualTo(euler);
                for (float value : map) {
                    assertThat(value).isFinite();
                }
            }
        }
    }

    private static float[] sampled(Pipeline<Denoiser> model, ModelCard card, SamplingSpec sampling) {
        return Tensors.floats(Sampling.sampler(model.network(), card, sampling, Precision.FP32)
                .sample(new Prompts.Labels(new int[] {1, 0}), 1, new long[] {0, 1}));
    }

    @Test
    void what_cannot_work_together_is_refused_by_name() {
        LossConfig progressive = new StepLoss.Progressive(
                LossWeight.ONE, 4, 2, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
        assertThatThrownBy(() -> distil(recipe(FLOW, run("flow-map", "fp32"), MAP, progressive), "no", 0))
                .hasMessageContaining("progressive does not tell a student where its step ends");
        LossConfig ends = new AdversarialStep(
                LossWeight.ONE, 4, 2, new SolverSpec.Ddim(), false, 1, 8, 0, 0, 0, GameLoss.OPPONENT);
        assertThatThrownBy(() -> distil(recipe(FLOW, run("flow-map", "fp32"), MAP, ends), "no", 0))
                .hasMessageContaining("adversarial-step does not tell a student where its step ends");
        assertThatThrownBy(() -> distil(recipe(FLOW, run("flow-euler", "fp32"), MAP), "no", 0))
                .hasMessageContaining("run.sampling.solver is flow-euler, expected flow-map");
        assertThatThrownBy(() -> distil(recipe(FLOW, run("flow-map", "bf16"), MAP), "no", 0))
                .hasMessageContaining("set run.compute.precision=fp32");
        LossConfig output = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);
        assertThatThrownBy(() -> distil(recipe(FLOW, run("flow-map", "fp32"), output), "unplanned", 0))
                .hasMessageContaining("which DiT-2x32x2/4 is not told; use flow-euler");
        Objective ddpm = new Objective.Ddpm(ProcessSpec.ddpm(), false, 0);
        assertThatThrownBy(() -> new MapLoss.FlowMap(LossWeight.ONE, false, 0.5, 0.2, 0.005, 0.03)
                        .requireFit(recipe(ddpm, run("flow-map", "fp32"), MAP)))
                .hasMessageContaining("objective of type flow");
        assertThat(temp.resolve("no")).doesNotExist();
    }
}
