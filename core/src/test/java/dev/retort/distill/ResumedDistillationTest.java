package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.loss.FeatureDistance;
import dev.retort.io.SafetensorsFile;
import dev.retort.io.SafetensorsWriter;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Ramp;
import dev.retort.train.RunConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Distillations in stages that train different parts of the student, stopped and resumed. */
class ResumedDistillationTest {
    private static final LossConfig DIFFUSION = new LossConfig.Diffusion(LossWeight.ONE);
    private static final LossConfig OUTPUT = new LossConfig.Output(LossWeight.ramp(1, 0.5), Prediction.FLOW);
    private static final LossConfig FEATURE = new Feature(LossWeight.ONE, "0-2", true, 2);

    @TempDir
    static Path temp;

    static Path teacher;

    @BeforeAll
    static void a_teacher() {
        TrainConfig config = new TrainConfig(
                64, new DitConfig("3x32x2/4", 2, 0.1, true), new Objective.Flow(0, 1, 1), run("fp32", false));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    /** Weight decay and a tight clip: both would move, or shrink, what a stage does not reach. */
    private static RunConfig run(String precision, boolean checkpointActivations) {
        return new RunConfig(
                3,
                8,
                new DataConfig.Shapes("train", 16, true),
                new OptimizerConfig(2e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0.05, 0.1),
                new EmaConfig(List.of(0.99, 0.9)),
                new ComputeConfig("cpu", precision, checkpointActivations, 3, 0, 1),
                new LogConfig(8, 0, 1, 16),
                SamplingSpec.of("flow-euler", 2, 1));
    }

    private static Recipe recipe(RunConfig run, StageConfig... stages) {
        return recipe(run, new StudentStart.Random(), "3x24x2/4", stages);
    }

    private static Recipe recipe(RunConfig run, StudentStart init, String size, StageConfig... stages) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                new DitConfig(size, 2, 0.1, true),
                init,
                new Objective.Flow(0, 1, 1),
                List.of(stages),
                run);
    }

    private static StageConfig stage(String name, long images, LossConfig... losses) {
        return new StageConfig(name, images, List.of(losses));
    }

    private static List<String> distil(Recipe recipe, String name) {
        List<String> notes = new ArrayList<>();
        Distillation.run(recipe, temp.resolve(name), Map.of(), notes::add, (d, t, s) -> {}, () -> false);
        return notes;
    }

    private static void stop(Recipe recipe, String name, int atStep) {
        AtomicInteger steps = new AtomicInteger();
        assertThatThrownBy(() -> Distillation.run(
                        recipe,
                        temp.resolve(name),
                        Map.of(),
                        n -> {},
                        (d, t, s) -> {},
                        () -> steps.incrementAndGet() == atStep))
                .hasMessageContaining("the same command resumes");
    }

    private static Path newest(String name) {
        return new RunFolder(temp.resolve(name)).newest().orElseThrow().resolve("training.safetensors");
    }

    @ParameterizedTest
    @CsvSource({"fp32, false", "fp32, true", "bf16, false"})
    void a_run_stopped_in_a_stage_that_trains_less_than_the_one_before_equals_one_never_stopped(
            String precision, boolean checkpointActivations) throws Exception {
        Recipe recipe = recipe(
                run(precision, checkpointActivations),
                stage("all", 40, OUTPUT, FEATURE),
                stage("features", 40, FEATURE),
                stage("data", 32, DIFFUSION));
        String name = precision + checkpointActivations;
        distil(recipe, "straight-" + name);
        stop(recipe, "stopped-" + name, 7); // in the stage of features
        stop(recipe, "stopped-" + name, 5); // in that of data, which has no connector
        distil(recipe, "stopped-" + name);
        assertThat(Files.mismatch(newest("straight-" + name), newest("stopped-" + name)))
                .isEqualTo(-1);
        assertThat(Files.mismatch(
                        temp.resolve("straight-" + name).resolve("model/model.safetensors"),
                        temp.resolve("stopped-" + name).resolve("model/model.safetensors")))
                .isEqualTo(-1);
    }

    @Test
    void a_run_of_pyramids_masks_and_ramps_stopped_in_them_equals_one_never_stopped() throws Exception {
        Optional<Confidence> sure = Optional.of(new Confidence(0.05, 1));
        LossWeight overNoise = new LossWeight(2, 0.5, Ramp.Curve.COSINE, Ramp.Span.NOISE);
        LossConfig pyramid = new Feature(
                LossWeight.ramp(0, 1),
                "0-2,2-2",
                Map.of("blocks.2", 3.0),
                FeatureDistance.Normalise.LAYER_NORM,
                2,
                List.of(1, 2, 4),
                List.of(1.0, 0.5, 0.25),
                sure);
        LossConfig masked = new LossConfig.Output(overNoise, Prediction.X0, sure);
        LossConfig heated = new LossConfig.OutputDistribution(
                LossWeight.of(0.01), new Temperature(4, 1, Ramp.Curve.COSINE, Ramp.Span.STAGE), Optional.empty());
        LossConfig byConfidence = new LossConfig.OutputDistribution(
                LossWeight.of(0.01), new Temperature(4, 1, Ramp.Curve.LINEAR, Ramp.Span.CONFIDENCE), Optional.empty());
        Recipe recipe = recipe(
                run("fp32", false),
                stage("ramps", 40, DIFFUSION, pyramid, heated),
                stage("masks", 40, masked, pyramid, byConfidence));
        distil(recipe, "straight-ramps");
        stop(recipe, "stopped-ramps", 3);
        stop(recipe, "stopped-ramps", 4);
        distil(recipe, "stopped-ramps");
        assertThat(Files.mismatch(newest("straight-ramps"), newest("stopped-ramps")))
                .isEqualTo(-1);
        Map<String, Object> last =
                lines(temp.resolve("straight-ramps/log.jsonl")).get(9);
        assertThat(last).containsKeys("loss/output", "loss/feature", "loss/output-distribution-2");
        assertThat(((Number) last.get("loss/output")).doubleValue()).isPositive();
    }

    @Test
    void a_weight_over_the_noise_is_refused_for_losses_that_choose_their_times() {
        LossConfig progressive = new StepLoss.Progressive(
                new LossWeight(1, 0, Ramp.Curve.LINEAR, Ramp.Span.NOISE),
                2,
                2,
                new SolverSpec.Ddim(),
                StepLoss.ErrorWeight.TRUNCATED_SNR);
        assertThatThrownBy(() -> distil(recipe(run("fp32", false), stage("one", 8, progressive)), "own-times"))
                .hasMessageContaining("weight.over is noise for progressive");
        assertThat(temp.resolve("own-times")).doesNotExist();
    }

    @Test
    void what_a_stage_does_not_reach_is_not_moved_and_is_named() throws Exception {
        RunConfig run = run("fp32", false);
        RunConfig constant = new RunConfig(
                run.seed(),
                run.batch(),
                run.data(),
                new OptimizerConfig(2e-3, "constant", 0, 0.9, 0.99, 1e-8, 0.05, 0.1),
                run.ema(),
                run.compute(),
                run.log(),
                run.sampling());
        StageConfig first = stage("all", 32, OUTPUT, FEATURE);
        distil(recipe(constant, first), "first");
        List<String> notes = distil(recipe(constant, first, stage("features", 32, FEATURE)), "both");
        assertThat(notes)
                .anyMatch(note ->
                        note.contains("stage features") && note.contains("blocks.1 to blocks.2 and the output layer"))
                .noneMatch(note -> note.contains("stage all"));
        try (SafetensorsFile before = SafetensorsFile.open(newest("first"));
                SafetensorsFile after = SafetensorsFile.open(newest("both"))) {
            for (String name : before.entries().keySet()) {
                if (name.matches("model\\.(final_layer|blocks\\.[12])\\..*")) {
                    assertThat(after.floats(name)).as(name).containsExactly(before.floats(name));
                }
            }
            assertThat(after.floats("model.blocks.0.attn.proj.weight"))
                    .isNotEqualTo(before.floats("model.blocks.0.attn.proj.weight"));
        }
    }

    @Test
    void a_student_whose_output_no_stage_trains_is_refused_unless_it_is_its_teachers() {
        RunConfig run = run("fp32", false);
        assertThatThrownBy(() -> distil(recipe(run, stage("alone", 16, FEATURE)), "untrained"))
                .hasMessageContaining("output layer would never be trained")
                .hasMessageContaining("add output");
        assertThat(temp.resolve("untrained")).doesNotExist();
        LossConfig last = new Feature(LossWeight.ONE, "0-0,1-2", true, 0);
        assertThat(distil(recipe(run, new StudentStart.Cut(), "2x32x2/4", stage("alone", 16, last)), "cut"))
                .anyMatch(note -> note.contains("stage alone") && note.contains("output layer stays"));
    }

    @Test
    void feature_losses_that_differ_have_connectors_of_their_own() throws Exception {
        LossConfig other = new Feature(LossWeight.ONE, "0-2", false, 0);
        Recipe recipe = recipe(run("fp32", false), stage("one", 24, OUTPUT, FEATURE), stage("two", 24, OUTPUT, other));
        distil(recipe, "connectors");
        try (SafetensorsFile saved = SafetensorsFile.open(newest("connectors"))) {
            String weight = ".connector.0-2.weight";
            assertThat(saved.floats("extra.feature" + weight)).isNotEqualTo(saved.floats("extra.feature-2" + weight));
            assertThat(saved.floats("optimizer.step.feature" + weight)).containsExactly(3);
            assertThat(saved.floats("optimizer.step.feature-2" + weight)).containsExactly(3);
        }
        assertThat(lines(temp.resolve("connectors/log.jsonl")).get(4))
                .containsKey("loss/feature-2")
                .doesNotContainKey("loss/feature");
    }

    @Test
    void a_checkpoint_from_before_connectors_had_numbers_resumes_where_it_is_clear_whose_they_are() throws Exception {
        LossConfig other = new Feature(LossWeight.ONE, "1-1", true, 2);
        Recipe clear = recipe(run("fp32", false), stage("one", 16, OUTPUT, FEATURE), stage("two", 32, OUTPUT, other));
        distil(clear, "clear");
        stop(clear, "older", 4);
        rename("older", name -> name.replace("feature-2.", "feature."));
        distil(clear, "older");
        assertThat(Files.mismatch(newest("clear"), newest("older"))).isEqualTo(-1);

        LossConfig same = new Feature(LossWeight.ONE, "0-2", false, 2);
        Recipe unclear = recipe(run("fp32", false), stage("one", 16, OUTPUT, FEATURE), stage("two", 32, OUTPUT, same));
        stop(unclear, "unclear", 4);
        rename("unclear", name -> name.contains("feature-2.") ? "" : name);
        assertThatThrownBy(() -> distil(unclear, "unclear"))
                .hasMessageContaining("feature-2.connector.0-2")
                .hasMessageContaining("another folder");
    }

    private static void rename(String run, UnaryOperator<String> names) throws Exception {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (SafetensorsFile saved = SafetensorsFile.open(newest(run))) {
            for (String name : saved.entries().keySet()) {
                if (!names.apply(name).isEmpty()) {
                    writer.add(names.apply(name), saved.entry(name).shape(), saved.floats(name));
                }
            }
        }
        writer.write(newest(run));
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
