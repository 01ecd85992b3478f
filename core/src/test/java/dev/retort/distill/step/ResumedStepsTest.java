package dev.retort.distill.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.distill.AdversarialStep;
import dev.retort.distill.ContinuousConsistency;
import dev.retort.distill.Distillation;
import dev.retort.distill.DistributionMatching;
import dev.retort.distill.GameLoss;
import dev.retort.distill.LoraConfig;
import dev.retort.distill.LossConfig;
import dev.retort.distill.LossWeight;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.distill.StepLoss;
import dev.retort.distill.StudentStart;
import dev.retort.distill.TeacherConfig;
import dev.retort.io.SafetensorsFile;
import dev.retort.run.RunEvent;
import dev.retort.run.RunEvents;
import dev.retort.run.RunFolder;
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
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All losses for fewer steps in one recipe, stopped in the middle of their stages and resumed. */
class ResumedStepsTest {
    private static final Objective FLOW = new Objective.Flow(0, 1, 1);
    private static final OptimizerConfig OWN = new OptimizerConfig(1e-3, "cosine", 8, 0.5, 0.9, 1e-8, 0.01, 1);

    @TempDir
    Path temp;

    /** @param sampleImages images between looks at the run, which are to change nothing */
    private static RunConfig run(long sampleImages) {
        return new RunConfig(
                3,
                8,
                new DataConfig.Shapes("train", 16, true),
                new OptimizerConfig(2e-3, "cosine", 16, 0.9, 0.99, 1e-8, 0.05, 0.1),
                new EmaConfig(List.of(0.99, 0.9)),
                new ComputeConfig("cpu", "fp32", false, 3, 0, 1),
                new LogConfig(8, sampleImages, 1, 16),
                SamplingSpec.of("flow-euler", 2, 1));
    }

    private static LossConfig progressive(int steps) {
        return new StepLoss.Progressive(
                LossWeight.ONE, steps, 2, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
    }

    private static LossConfig consistency(boolean distil, double average) {
        return new StepLoss.Consistency(
                LossWeight.ONE,
                distil,
                average,
                -0.4,
                1.6,
                0.2,
                4,
                16,
                2,
                0,
                0.03,
                false,
                ConsistencyWeight.INVERSE_GAP);
    }

    private static LossConfig matching(DistributionMatching.Method method, FDivergence divergence) {
        return new DistributionMatching(LossWeight.ONE, 2, 2, method, divergence, 1.2, 0.1, 0.7, OWN);
    }

    private static StageConfig stage(String name, LossConfig... losses) {
        return new StageConfig(name, 24, List.of(losses)); // 3 steps
    }

    private static StageConfig adapted(String name, Optional<OptimizerConfig> optimizer, LossConfig loss) {
        return new StageConfig(
                name, 24, List.of(loss), "", optimizer, List.of(), Optional.of(new LoraConfig(2, 4, List.of())));
    }

    private Recipe recipe(long sampleImages) {
        LossConfig adversarial = new GameLoss.Adversarial(
                LossWeight.ramp(0, 1), 2, 2, 8, GameLoss.Backbone.TRAINED, 1e-3, 0.05, 0.7, OWN);
        LossConfig adversarialStep =
                new AdversarialStep(LossWeight.ONE, 2, 2, new SolverSpec.Ddim(), true, 2, 8, 0.3, 0.01, 0.75, OWN);
        return new Recipe(
                new TeacherConfig(temp.resolve("teacher/model").toString(), "", 1),
                new DitConfig("3x24x2/4", 2, 0.1, true),
                new StudentStart.Random(),
                FLOW,
                List.of(
                        stage("four", progressive(4)),
                        new StageConfig(
                                "two",
                                24,
                                List.of(progressive(2), adversarialStep),
                                "four",
                                Optional.of(OWN),
                                List.of("blocks.0", "final")),
                        adapted("tuned", Optional.empty(), consistency(false, 0.9)),
                        adapted("led", Optional.of(OWN), consistency(true, 0)),
                        stage("continuous", new ContinuousConsistency(LossWeight.ONE, true, -1, 1.4, 0.5, 1, 0)),
                        stage("matched", matching(DistributionMatching.Method.SID, FDivergence.REVERSE_KL)),
                        stage(
                                "judged",
                                matching(DistributionMatching.Method.DMD, FDivergence.JENSEN_SHANNON),
                                adversarial)),
                run(sampleImages));
    }

    private void distil(String name, long sampleImages, int stopAt) {
        AtomicInteger steps = new AtomicInteger();
        Distillation.run(
                recipe(sampleImages),
                temp.resolve(name),
                Map.of(),
                n -> {},
                (d, t, s) -> {},
                () -> steps.incrementAndGet() == stopAt);
    }

    private Path newest(String name) {
        return new RunFolder(temp.resolve(name)).newest().orElseThrow().resolve("training.safetensors");
    }

    private List<Set<String>> heldOut(String name) {
        return RunEvents.tail(temp.resolve(name).resolve(RunFolder.LOG), 0).entries().stream()
                .filter(entry -> entry.event().kind().equals(RunEvent.Line.HELD_OUT))
                .map(entry -> ((RunEvent.Line) entry.event()).values().keySet())
                .toList();
    }

    @Test
    void a_run_through_all_of_them_stopped_in_every_stage_ends_with_the_bytes_of_one_never_stopped() throws Exception {
        TrainConfig config = new TrainConfig(64, new DitConfig("3x32x2/4", 2, 0.1, true), FLOW, run(0));
        Training.run(config, temp.resolve("teacher"), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
        distil("straight", 0, 0);
        for (int steps : new int[] {2, 3, 3, 3, 3, 3, 3}) { // the second step of each stage
            assertThatThrownBy(() -> distil("stopped", 24, steps)).hasMessageContaining("the same command resumes");
        }
        distil("stopped", 24, 0);
        assertThat(heldOut("stopped"))
                .containsExactly(
                        Set.of("held-out/progressive"),
                        Set.of("held-out/progressive-2", "held-out/adversarial-step"),
                        Set.of("held-out/consistency"),
                        Set.of("held-out/consistency-2"),
                        Set.of("held-out/continuous-consistency"),
                        Set.of("held-out/distribution-matching"),
                        Set.of("held-out/distribution-matching-2", "held-out/adversarial"));
        assertThat(Files.mismatch(newest("straight"), newest("stopped"))).isEqualTo(-1);
        try (SafetensorsFile saved = SafetensorsFile.open(newest("stopped"))) {
            Set<String> brought = Set.of("critic", "critic-2", "fake", "fake-2", "levels", "target", "four");
            assertThat(saved.entries().keySet().stream()
                            .map(name -> name.substring(0, name.indexOf('.')))
                            .filter(brought::contains))
                    .as("who takes part in the last stage")
                    .containsOnly("critic-2", "fake-2", "levels");
        }
        assertThat(Files.mismatch(
                        temp.resolve("straight/model/model.safetensors"),
                        temp.resolve("stopped/model/model.safetensors")))
                .isEqualTo(-1);
    }
}
