package dev.retort.examples;

import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.Distillation;
import dev.retort.distill.Feature;
import dev.retort.distill.LossConfig;
import dev.retort.distill.LossWeight;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.distill.StudentStart;
import dev.retort.distill.TeacherConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.Objective;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Lesson 2: distil a smaller student from a teacher, by a recipe of two stages. Arguments: teacher, run folder, images. */
public final class DistilStudent {
    private DistilStudent() {}

    /** Distils and returns the student's folder. */
    public static Path distil(Path teacher, Path runFolder, long images) {
        LossConfig data = new LossConfig.Diffusion(LossWeight.ONE);
        LossConfig features = new Feature(LossWeight.ramp(0, 0.1), "uniform", true, 2); // ramped up over its stage
        LossConfig output = new LossConfig.Output(LossWeight.ONE, Prediction.FLOW);
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), "", 1),
                new DitConfig("2x64x2/4", 4, 0.1, false), // half the blocks, two thirds of the width
                new StudentStart.Cut(), // its first weights are cut from the teacher
                new Objective.Flow(0, 1, 1),
                List.of(
                        new StageConfig("feature", images / 2, List.of(data, features)),
                        new StageConfig("joint", images / 2, List.of(data, output))),
                TrainTeacher.run(DataConfig.shapes(16)));
        return Distillation.run(
                recipe,
                runFolder,
                Map.of("command", "DistilStudent"),
                System.out::println,
                (done, total, text) -> System.out.println(done + " of " + total + " images, " + text),
                () -> false);
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path student = distil(Path.of(args[0]), Path.of(args[1]), Long.parseLong(args[2]));
        System.out.println("the student lies in " + student);
    }
}
