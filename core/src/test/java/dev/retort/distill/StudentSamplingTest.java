package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.DataConfig;
import dev.retort.data.TrajectoryFolder;
import dev.retort.data.TrajectoryManifest;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.RunConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudentSamplingTest {
    private static final OptimizerConfig ADAM = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1);
    private static final SamplingSpec EULER = SamplingSpec.of("flow-euler", 4, 1);
    private static final LossConfig OUTPUT = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);
    private static final LossConfig DIFFUSION = new LossConfig.Diffusion(LossWeight.ONE);
    private static final LossConfig FEATURE = new Feature(LossWeight.ONE, "uniform", true, 2);
    private static final LossConfig MATCHING = new DistributionMatching(
            LossWeight.ONE,
            4,
            2,
            DistributionMatching.Method.DMD,
            FDivergence.REVERSE_KL,
            1.2,
            0.02,
            0.98,
            GameLoss.OPPONENT);
    private static final LossConfig ADVERSARIAL = new GameLoss.Adversarial(
            LossWeight.ONE, 4, 2, 8, GameLoss.Backbone.FROZEN, 1e-3, 0.05, 0.7, GameLoss.OPPONENT);

    @TempDir
    private Path temp;

    private static LossConfig progressive(int steps, int ratio) {
        return new StepLoss.Progressive(
                LossWeight.ONE, steps, ratio, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
    }

    private static LossConfig adversarialStep(int steps, int ratio) {
        return new AdversarialStep(
                LossWeight.ONE, steps, ratio, new SolverSpec.Ddim(), true, 1, 8, 0, 0.01, 0.75, GameLoss.OPPONENT);
    }

    private static LossConfig consistency(boolean distil) {
        return new StepLoss.Consistency(
                LossWeight.ONE, distil, 0, -0.4, 1.6, 0.2, 4, 16, 2, 0, 0.03, false, ConsistencyWeight.INVERSE_GAP);
    }

    private static StageConfig stage(String name, String teacher, LossConfig... losses) {
        return new StageConfig(name, 24, List.of(losses), teacher, Optional.empty(), List.of());
    }

    private static StageConfig stage(LossConfig... losses) {
        return stage("only", "", losses);
    }

    private static ModelCard teacher(TrainedFor trained) {
        return ModelCard.of(
                        new DitSpec(16, 16, 1, 4, 32, 2, 2, 4, 3, 0.1, false, false),
                        ProcessSpec.flow(),
                        EULER,
                        List.of("a", "b", "c"),
                        "",
                        0,
                        0,
                        "",
                        Map.of())
                .withTrainedFor(trained);
    }

    private static StudentSampling of(
            double guidance, SamplingSpec sampling, TrainedFor teacher, StageConfig... stages) {
        return new StudentSampling(
                recipe(guidance, sampling, new Objective.Flow(0, 1, 1), 8, stages), teacher(teacher));
    }

    private static Recipe recipe(
            double guidance, SamplingSpec sampling, Objective objective, int batch, StageConfig... stages) {
        return new Recipe(
                new TeacherConfig("runs/teacher", "", guidance),
                new DitConfig("2x32x2/4", 4, 0.1, false),
                new StudentStart.Cut(),
                objective,
                List.of(stages),
                new RunConfig(
                        7,
                        batch,
                        new DataConfig.Shapes("train", 16, false),
                        ADAM,
                        new EmaConfig(List.of(0.9)),
                        new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                        new LogConfig(8, 0, 1, 64),
                        sampling));
    }

    private static TrainedFor made(double guidance, StageConfig... stages) {
        return of(guidance, EULER, TrainedFor.ANY, stages).trainedFor();
    }

    @Test
    void the_last_stage_binds_the_student_and_guidance_goes_with_whom_it_learns_from() {
        assertThat(made(
                        1.5,
                        stage("baked", "", OUTPUT),
                        stage("eight", "baked", progressive(8, 4)),
                        stage("four", "eight", progressive(4, 2))))
                .isEqualTo(TrainedFor.steps(4, EULER, 1.5));
        assertThat(made(1.5, stage(OUTPUT))).isEqualTo(TrainedFor.ANY.guided(1.5));
        assertThat(made(1, stage(OUTPUT))).isEqualTo(TrainedFor.ANY);
        assertThat(made(1.5, stage("baked", "", OUTPUT), stage("data", "", DIFFUSION)))
                .isEqualTo(TrainedFor.ANY);
        assertThat(made(1.5, stage("baked", "", OUTPUT), stage("seen", "", FEATURE)))
                .isEqualTo(TrainedFor.ANY.guided(1.5));
        assertThat(made(1.5, stage(progressive(4, 2), progressive(2, 2))).steps())
                .containsExactly(2, 4);
        assertThat(made(1.5, stage("few", "", progressive(4, 2)), stage("judged", "", ADVERSARIAL)))
                .isEqualTo(TrainedFor.steps(4, EULER, 1.5));
        LossConfig fading = new LossConfig.Output(LossWeight.ramp(1, 0), Prediction.FLOW);
        assertThat(made(1.5, stage(fading, DIFFUSION))).isEqualTo(TrainedFor.ANY);
        assertThat(made(1.5, stage(OUTPUT, DIFFUSION))).isEqualTo(TrainedFor.ANY);
        assertThat(made(1.5, stage(DIFFUSION, progressive(4, 2)))).isEqualTo(TrainedFor.steps(4, EULER, 1.5));
    }

    @Test
    void one_that_jumps_from_any_time_is_bound_to_its_solver_alone() {
        assertThat(made(1.5, stage(consistency(true)))).isEqualTo(TrainedFor.jumps(EULER, 1.5));
        assertThat(made(1.5, stage("baked", "", OUTPUT), stage("tuned", "", consistency(false))))
                .isEqualTo(TrainedFor.jumps(EULER, 1));
    }

    @Test
    void what_learns_from_a_cache_has_its_guidance() {
        new TrajectoryFolder(temp)
                .write(new TrajectoryManifest(
                        TrajectoryManifest.FORMAT,
                        "abc",
                        "t",
                        SamplingSpec.of("flow-heun", 1, 2.5),
                        ProcessSpec.flow(),
                        0,
                        1,
                        1,
                        16,
                        16,
                        List.of(1000.0, 0.0),
                        List.of("a", "b", "c"),
                        Optional.empty(),
                        1,
                        Map.of()));
        String cache = temp.toString();
        assertThat(made(1, stage(new CachedLoss.Trajectory(LossWeight.ONE, 4, cache))))
                .isEqualTo(TrainedFor.steps(4, EULER, 2.5));
        assertThat(made(1, stage(new CachedLoss.Endpoint(LossWeight.ONE, cache, 0.5, 0.03))))
                .isEqualTo(TrainedFor.jumps(EULER, 2.5));
        assertThat(made(1, stage(new CachedLoss.Reflow(LossWeight.ONE, cache)))).isEqualTo(TrainedFor.ANY.guided(2.5));
    }

    private static void refused(StudentSampling recipe, String... words) {
        assertThatThrownBy(recipe::findings)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONFIG))
                .message()
                .contains(words);
    }

    private static void good(StudentSampling recipe) {
        assertThat(recipe.findings()).isEmpty();
    }

    @Test
    void sampling_that_the_stages_do_not_train_for_is_refused_before_the_first_step() {
        StageConfig few = stage(progressive(2, 2));
        refused(
                of(1, EULER, TrainedFor.ANY, few),
                "run.sampling: steps is 4, but the model was trained for 2 steps alone; ask for as many");
        good(of(1, EULER.withSteps(2), TrainedFor.ANY, few));
        SamplingSpec guided = SamplingSpec.of("flow-euler", 4, 2);
        refused(
                of(1.5, guided, TrainedFor.ANY, stage(progressive(4, 2))),
                "run.sampling: guidance is 2.0, but a guidance of 1.5 is baked into the model; ask for 1");
        StudentSampling twice = of(1.5, guided, TrainedFor.ANY, stage(OUTPUT));
        assertThat(twice.findings())
                .containsExactly(
                        "a guidance of 1.5 becomes the student's own output, and run.sampling guides by 2.0 on top;"
                                + " set run.sampling.guidanceScale to 1 unless that is meant");
        assertThat(twice.trainedFor()).isEqualTo(TrainedFor.ANY);
    }

    @Test
    void a_teacher_of_few_steps_teaches_no_more_than_its_own_grid() {
        TrainedFor few = TrainedFor.steps(4, EULER, 1);
        for (LossConfig loss : List.of(OUTPUT, FEATURE, consistency(true), MATCHING, progressive(4, 2))) {
            refused(
                    of(1, EULER, few, stage(loss)),
                    "stages ask for " + loss.type()
                            + ", but the teacher runs/teacher was itself distilled, to 4 steps of"
                            + " flow-euler on the grid default");
        }
        good(of(1, EULER.withSteps(2), few, stage(progressive(2, 2)))); // its own four steps
        good(of(1, EULER, few, stage(consistency(false)), stage("judged", "", ADVERSARIAL)));
    }

    @Test
    void an_earlier_student_teaches_at_the_times_that_it_was_trained_for() {
        StageConfig eight = stage("eight", "", progressive(8, 2));
        for (LossConfig taught : List.of(progressive(4, 2), adversarialStep(4, 2))) {
            StudentSampling four = of(1.5, EULER, TrainedFor.ANY, eight, stage("four", "eight", taught));
            good(four);
            assertThat(four.trainedFor()).isEqualTo(TrainedFor.steps(4, EULER, 1.5));
        }
        good(of(1, EULER.withSteps(2), TrainedFor.ANY, eight, stage("two", "eight", adversarialStep(2, 4))));
        for (LossConfig other : List.of(progressive(4, 3), adversarialStep(4, 4), consistency(true), OUTPUT)) {
            refused(
                    of(1, EULER, TrainedFor.ANY, eight, stage("four", "eight", other)),
                    "stages.1.teacher is eight, whose student was trained for 8 steps of flow-euler",
                    "but " + other.type() + " asks at other times; let steps times ratio be that number");
        }
    }

    @Test
    void a_critic_is_refused_single_images_and_a_student_of_epsilon_one_step() {
        Recipe one = recipe(1, EULER.withSteps(1), new Objective.Flow(0, 1, 1), 1, stage(adversarialStep(1, 4)));
        assertThatThrownBy(() -> adversarialStep(1, 4).requireFit(one))
                .hasMessageContaining("run.batch is 1, expected at least 2 for an adversarial loss");
        Objective epsilon = new Objective.Ddpm(ProcessSpec.ddpm(), false, 5);
        Recipe noise = recipe(1, SamplingSpec.of("ddim", 1, 1), epsilon, 8, stage(adversarialStep(1, 4)));
        assertThatThrownBy(() -> adversarialStep(1, 4).requireFit(noise))
                .hasMessageContaining("adversarial-step asks for 1 step of a student that predicts epsilon")
                .hasMessageContaining("let the objective predict v, x0 or flow");
    }

    @Test
    void a_teacher_that_jumps_has_no_ode_but_its_output_can_be_learned() {
        SamplingSpec lcm = SamplingSpec.of("lcm", 4, 1);
        TrainedFor jumps = TrainedFor.jumps(lcm, 1.5);
        StudentSampling copy = of(1, lcm, jumps, stage(OUTPUT));
        good(copy);
        assertThat(copy.trainedFor()).isEqualTo(jumps);
        refused(of(1, lcm, jumps, stage(progressive(2, 2))), "any number of steps of lcm");
        refused(of(1, lcm, jumps, stage(MATCHING)), "distribution-matching");
    }

    @Test
    void guidance_is_not_baked_in_twice() {
        TrainedFor baked = TrainedFor.ANY.guided(1.5);
        refused(
                of(2, EULER, baked, stage(OUTPUT)),
                "teacher.guidance is 2.0, expected 1: a guidance of 1.5 is baked into this teacher");
        StudentSampling few = of(1, EULER, baked, stage(progressive(4, 2)));
        good(few);
        assertThat(few.trainedFor()).isEqualTo(TrainedFor.steps(4, EULER, 1.5));
    }
}
