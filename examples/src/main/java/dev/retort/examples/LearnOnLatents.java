package dev.retort.examples;

import dev.retort.data.DataConfig;
import dev.retort.diffusion.Prediction;
import dev.retort.distill.Distillation;
import dev.retort.distill.LossConfig;
import dev.retort.distill.LossWeight;
import dev.retort.distill.Recipe;
import dev.retort.distill.StageConfig;
import dev.retort.distill.StudentStart;
import dev.retort.distill.TeacherConfig;
import dev.retort.torch.Device;
import dev.retort.train.DitConfig;
import dev.retort.train.LatentEncoding;
import dev.retort.train.Objective;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Lesson 8: pictures are encoded once at two sizes; a teacher learns on the latents of the small ones, and a student for the
 * large ones learns from it. Both networks see 16 tokens, so the larger pictures cost the student next to nothing.
 * Arguments: autoencoder (a diffusers folder, or TAESD's {@code FOLDER/NAME}), folder, images to see.
 */
public final class LearnOnLatents {
    private static final int PICTURES = 256;

    private LearnOnLatents() {}

    /** Encodes, trains, distils and returns the student's folder. */
    public static Path learn(Path autoencoder, Path folder, long images) {
        Path small = encode(autoencoder, 32, folder.resolve("latents-32"));
        Path large = encode(autoencoder, 64, folder.resolve("latents-64"));
        Objective flow = new Objective.Flow(0, 1, 0); // latents have no range to clamp to
        Path teacher = Training.run(
                new TrainConfig(
                        images, new DitConfig("4x96x3/1", 4, 0.1, false), flow, TrainTeacher.run(latents(small))),
                folder.resolve("teacher"),
                Map.of("command", "LearnOnLatents"),
                System.out::println,
                (done, total, text) -> {},
                () -> false);
        Recipe recipe = new Recipe(
                new TeacherConfig(teacher.toString(), small.toString(), 1), // its own latents of the same pictures
                new DitConfig("4x96x3/2", 4, 0.1, false),
                new StudentStart.Cut(),
                flow,
                List.of(new StageConfig(
                        "joint",
                        images,
                        // the teacher knows nothing finer than its own grid: that comes from the data
                        List.of(
                                new LossConfig.Diffusion(LossWeight.ONE),
                                new LossConfig.Output(LossWeight.ONE, Prediction.FLOW)))),
                TrainTeacher.run(latents(large)));
        return Distillation.run(
                recipe,
                folder.resolve("student"),
                Map.of("command", "LearnOnLatents"),
                System.out::println,
                (done, total, text) -> {},
                () -> false);
    }

    private static Path encode(Path autoencoder, int size, Path folder) {
        new LatentEncoding(
                        DataConfig.shapes(size),
                        PICTURES,
                        autoencoder,
                        128,
                        16,
                        Device.choose("auto").device())
                .run(
                        folder,
                        Map.of("command", "LearnOnLatents"),
                        System.out::println,
                        (done, total, text) -> {},
                        () -> false);
        return folder;
    }

    private static DataConfig latents(Path folder) {
        return new DataConfig.Latents(folder.toString(), "train", 0, true);
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path student = learn(Path.of(args[0]), Path.of(args[1]), Long.parseLong(args[2]));
        System.out.println("the student lies in " + student);
    }
}
