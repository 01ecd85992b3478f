package dev.retort.examples;

import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.Distillation;
import dev.retort.distill.LossConfig;
import dev.retort.distill.LossWeight;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.distill.StepLoss;
import dev.retort.distill.StudentStart;
import dev.retort.distill.TeacherConfig;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.sample.StepPlanning;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.train.DitConfig;
import dev.retort.train.Objective;
import dev.retort.train.RunConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lesson 10: a student that needs 2 calls where its teacher needs 30. First where the teacher is best called in few steps, then a
 * recipe of three stages: the teacher's guidance is baked into a copy of it, a step of which learns to land where four of that copy's do,
 * and then where two of its own do. Its card says for what it was trained. Arguments: teacher of lesson 1, run folder, images.
 */
public final class FewerSteps {
    private static final int STEPS = 2;

    private FewerSteps() {}

    /** The times at which a teacher is best called in 1 to so many steps, and what then is missing at the end. */
    public static List<StepPlanning.Planned> plan(Path teacher, int most) {
        try (Pipeline<Denoiser> model = Models.open(teacher, Device.CPU, Precision.FP32)) {
            return new StepPlanning(
                            model.network(), model.card(), SamplingSpec.of("flow-euler", most, 2), 4 * most, most, 8, 0)
                    .run((done, total, text) -> {}, () -> false);
        }
    }

    /** Distils and returns the student's folder. */
    public static Path distil(Path teacher, Path runFolder, long images) {
        LossConfig guided = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);
        Recipe recipe = new Recipe(
                new TeacherConfig(
                        teacher.toString(), "", 2), // guided by 2, which the student then is without being told
                new DitConfig("4x96x3/4", 4, 0.1, false),
                new StudentStart.Cut(), // as large as its teacher: a copy
                new Objective.Flow(0, 1, 1),
                List.of(
                        new StageConfig("baked", images / 2, List.of(guided)),
                        stage("steps-4", images / 4, 2 * STEPS, 4, "baked"),
                        stage("steps-2", images / 4, STEPS, 2, "steps-4")),
                run());
        return Distillation.run(
                recipe,
                runFolder,
                Map.of("command", "FewerSteps"),
                System.out::println,
                (done, total, text) -> System.out.println(done + " of " + total + " images, " + text),
                () -> false);
    }

    private static StageConfig stage(String name, long images, int steps, int ratio, String teacher) {
        LossConfig loss = new StepLoss.Progressive(
                LossWeight.ONE, steps, ratio, new SolverSpec.Ddim(), StepLoss.ErrorWeight.TRUNCATED_SNR);
        return new StageConfig(name, images, List.of(loss), teacher, Optional.empty(), List.of());
    }

    private static RunConfig run() {
        RunConfig usual = TrainTeacher.run(DataConfig.shapes(16));
        return new RunConfig(
                usual.seed(),
                usual.batch(),
                usual.data(),
                usual.optimizer(),
                usual.ema(),
                usual.compute(),
                usual.log(),
                SamplingSpec.of("flow-euler", STEPS, 1));
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path teacher = Path.of(args[0]);
        plan(teacher, 4)
                .forEach(one ->
                        System.out.println(one.steps() + " steps: " + one.grid().text() + " misses " + one.searched()));
        Path student = distil(teacher, Path.of(args[1]), Long.parseLong(args[2]));
        System.out.println("the student lies in " + student + ", trained for "
                + Models.card(student).trainedFor().text());
    }
}
