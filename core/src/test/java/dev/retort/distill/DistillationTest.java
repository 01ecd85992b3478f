package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.model.LayerMap;
import dev.retort.pipeline.Models;
import dev.retort.report.TrainingMetric;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.sample.TrajectoryRecording;
import dev.retort.torch.Device;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistillationTest {
    @TempDir
    static Path temp;

    static Path teacher;

    static RunConfig run(double lr) {
        return run(lr, 16);
    }

    private static RunConfig run(double lr, int size) {
        return new RunConfig(
                7,
                8,
                new DataConfig.Shapes("train", size, false),
                new OptimizerConfig(lr, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                new LogConfig(8, 0, 1, 64),
                SamplingSpec.of("flow-euler", 2, 1));
    }

    @BeforeAll
    static void a_teacher() {
        TrainConfig config =
                new TrainConfig(640, new DitConfig("4x32x2/4", 4, 0.1, false), new Objective.Flow(0, 1, 1), run(3e-3));
        teacher = Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    static Recipe recipe(String size, StudentStart init, List<StageConfig> stages) {
        return recipe(size, init, 1, stages);
    }

    private static Recipe recipe(String size, StudentStart init, double guidance, List<StageConfig> stages) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", guidance),
                new DitConfig(size, 4, 0.1, false),
                init,
                new Objective.Flow(0, 1, 1),
                stages,
                run(1e-3));
    }

    private static Path distil(Recipe recipe, String name) {
        return Distillation.run(recipe, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static double loss(String run, String term, int line) {
        List<Map<String, Object>> lines = lines(temp.resolve(run).resolve("log.jsonl"));
        return ((Number) lines.get(line < 0 ? lines.size() + line : line).get("loss/" + term)).doubleValue();
    }

    private static StageConfig stage(String name, long images, LossConfig... losses) {
        return new StageConfig(name, images, List.of(losses));
    }

    private static final LossConfig OUTPUT = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);

    @Test
    void a_student_cut_at_full_size_is_its_teacher() {
        distil(recipe("4x32x2/4", new StudentStart.Cut(), List.of(stage("all", 8, OUTPUT))), "same");
        assertThat(loss("same", "output", 0)).isLessThan(1e-10);
    }

    @Test
    void a_cut_student_starts_closer_to_its_teacher_than_a_random_one() {
        distil(recipe("3x32x2/4", new StudentStart.Cut(), List.of(stage("all", 8, OUTPUT))), "cut");
        distil(recipe("3x32x2/4", new StudentStart.Random(), List.of(stage("all", 8, OUTPUT))), "random");
        assertThat(loss("cut", "output", 0)).isLessThan(loss("random", "output", 0));
    }

    @Test
    void the_three_stages_run_and_the_student_comes_to_agree_with_its_teacher() {
        LossConfig diffusion = new LossConfig.Diffusion(LossWeight.ONE);
        LossConfig feature = new Feature(LossWeight.ramp(0, 0.1), "uniform", true, 2);
        LossConfig distribution = new LossConfig.OutputDistribution(LossWeight.of(0.5), 1);
        Path student = distil(
                recipe(
                        "2x24x2/4",
                        new StudentStart.Random(),
                        List.of(
                                stage("warmup", 64, diffusion),
                                stage("feature", 64, diffusion, feature),
                                stage("joint", 640, diffusion, feature, distribution, OUTPUT))),
                "three");
        List<Map<String, Object>> lines = lines(temp.resolve("three/log.jsonl"));
        assertThat(lines.get(0)).containsEntry("stage", "warmup").doesNotContainKey("loss/feature");
        assertThat(lines.get(9)).containsEntry("stage", "feature").containsKey("loss/feature");
        assertThat(lines.get(lines.size() - 1)).containsEntry("stage", "joint");
        assertThat(loss("three", "feature", -1)).isLessThan(0.8 * loss("three", "feature", 8));
        assertThat(loss("three", "output", -1)).isLessThan(0.8 * loss("three", "output", 16));
        assertThat(Models.card(student).teacher()).isEqualTo(Models.sha256(teacher));
    }

    @Test
    void a_student_of_another_patch_size_learns_from_features_too() {
        distil(
                recipe(
                        "2x24x2/2",
                        new StudentStart.Random(),
                        List.of(stage("all", 240, new Feature(LossWeight.ONE, "0-1,1-3", true, 2), OUTPUT))),
                "patch");
        assertThat(loss("patch", "feature", -1)).isLessThan(loss("patch", "feature", 0));
    }

    private static Recipe resized(String student, int size, long images, LossConfig... losses) {
        return new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                new DitConfig(student, 4, 0.1, false),
                new StudentStart.Random(),
                new Objective.Flow(0, 1, 1),
                List.of(stage("all", images, losses)),
                run(3e-3, size));
    }

    private static Recipe larger(LossConfig... losses) {
        return resized("2x24x2/8", 32, 320, losses);
    }

    @Test
    void a_teacher_of_another_size_sees_the_same_pictures_at_its_own() {
        Path student = distil(larger(new Feature(LossWeight.of(0.1), "uniform", true, 2), OUTPUT), "larger");
        assertThat(Models.card(student).network().height()).isEqualTo(32);
        assertThat(loss("larger", "output", -1)).isLessThan(0.7 * loss("larger", "output", 0));
        assertThat(loss("larger", "feature", -1)).isLessThan(loss("larger", "feature", 0));
    }

    @Test
    void what_has_no_meaning_between_sizes_is_refused() {
        assertThatThrownBy(() -> distil(larger(new LossConfig.OutputDistribution(LossWeight.ONE, 1)), "divergence"))
                .hasMessageContaining("different sizes");
        Recipe odd = resized("2x24x2/4", 24, 8, OUTPUT);
        assertThatThrownBy(() -> distil(odd, "odd")).hasMessageContaining("enlarged by a whole number");
        assertThat(temp.resolve("divergence")).doesNotExist();
        assertThat(temp.resolve("odd")).doesNotExist();
    }

    private static List<Double> teacherCalls(String run) {
        return lines(temp.resolve(run).resolve("log.jsonl")).stream()
                .map(line -> ((Number) line.get(TrainingMetric.TEACHER_CALLS)).doubleValue())
                .distinct()
                .toList();
    }

    @Test
    void the_log_counts_the_teachers_calls_and_a_loss_on_its_trajectories_makes_none() {
        Path cache = temp.resolve("trajectories");
        new TrajectoryRecording(teacher, "t", SamplingSpec.of("flow-euler", 2, 1), 0, 16, 16, 8, Device.CPU)
                .run(cache, Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        LossConfig cached = new CachedLoss.Trajectory(LossWeight.ONE, 2, cache.toString());
        distil(recipe("2x24x2/4", new StudentStart.Random(), List.of(stage("all", 24, cached))), "cached");
        assertThat(teacherCalls("cached")).containsExactly(0.0);
        assertThat(Models.card(temp.resolve("cached/model")).trainedFor())
                .isEqualTo(TrainedFor.steps(2, SamplingSpec.of("flow-euler", 2, 1), 1));
        LossConfig feature = new Feature(LossWeight.ONE, "uniform", true, 2);
        distil(recipe("2x24x2/4", new StudentStart.Random(), List.of(stage("all", 24, OUTPUT, feature))), "asked");
        assertThat(teacherCalls("asked")).containsExactly(1.0);
        LossConfig walked = new StepLoss.Progressive(
                LossWeight.ONE, 2, 4, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
        distil(recipe("2x24x2/4", new StudentStart.Random(), 2, List.of(stage("all", 24, walked))), "walked");
        assertThat(teacherCalls("walked")).containsExactly(8.0); // four steps of two calls
        assertThat(Models.card(temp.resolve("walked/model")).trainedFor().guidance())
                .isEqualTo(2);
    }

    @Test
    void a_recipe_whose_trajectories_are_missing_leaves_no_run_that_a_corrected_one_would_not_fit() {
        LossConfig endpoint =
                new CachedLoss.Endpoint(LossWeight.ONE, temp.resolve("nowhere").toString(), 0.5, 0.03);
        assertThatThrownBy(() -> distil(
                        recipe("2x24x2/4", new StudentStart.Random(), List.of(stage("all", 8, endpoint))), "uncached"))
                .hasMessageContaining("nowhere is not a cache of trajectories");
        assertThat(temp.resolve("uncached")).doesNotExist();
    }

    @Test
    void a_recipe_that_does_not_fit_its_teacher_is_refused_before_anything_is_written() {
        assertThatThrownBy(() -> distil(
                        recipe(
                                "2x24x2/4",
                                new StudentStart.Random(),
                                List.of(stage("all", 8, new Feature(LossWeight.ONE, "0-9", true, 2)))),
                        "no"))
                .hasMessageContaining("teacher block 9, expected 0..3");
        assertThatThrownBy(() ->
                        distil(recipe("2x24x3/4", new StudentStart.Cut(), List.of(stage("all", 8, OUTPUT))), "width"))
                .hasMessageContaining("heads as wide");
        Recipe other = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                new DitConfig("2x24x2/4", 4, 0.1, false),
                new StudentStart.Random(),
                new Objective.Ddpm(dev.retort.card.ProcessSpec.ddpm(), false, 0),
                List.of(stage("all", 8, OUTPUT)),
                run(1e-3));
        assertThatThrownBy(() -> distil(other, "schedule"))
                .hasMessageContaining("objective.process.schedule is linear but the teacher was trained on flow")
                .hasMessageContaining("use the teacher's schedule");
        assertThat(Files.exists(temp.resolve("schedule"))).isFalse();
    }

    @Test
    void uniform_maps_end_at_the_last_block() {
        assertThat(LayerMap.uniform(3, 8))
                .containsExactly(new LayerMap.Pair(0, 1), new LayerMap.Pair(1, 4), new LayerMap.Pair(2, 7));
        assertThat(LayerMap.uniform(12, 28).get(11)).isEqualTo(new LayerMap.Pair(11, 27));
    }

    private static List<Map<String, Object>> lines(Path log) {
        return RunEvents.lines(log).stream().map(RunEvent.Line::values).toList();
    }
}
