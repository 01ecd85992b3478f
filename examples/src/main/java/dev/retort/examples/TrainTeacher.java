package dev.retort.examples;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
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
import java.util.List;
import java.util.Map;

/** Lesson 1: train a small diffusion transformer on the embedded shapes. Arguments: run folder, images to see. */
public final class TrainTeacher {
    private TrainTeacher() {}

    /** What any run of these lessons has: seed, batch, data, optimiser, averages, machine, log, sampling. */
    static RunConfig run(DataConfig data) {
        return new RunConfig(
                1,
                32,
                data,
                new OptimizerConfig(2e-3, "cosine", 320, 0.9, 0.99, 1e-8, 0.01, 1),
                new EmaConfig(List.of(0.99)),
                ComputeConfig.automatic(),
                new LogConfig(320, 0, 4, 3200),
                SamplingSpec.of("flow-heun", 8, 2));
    }

    /** Trains and returns the model's folder. */
    public static Path train(Path runFolder, long images) {
        TrainConfig config = new TrainConfig(
                images,
                new DitConfig("4x96x3/4", 4, 0.1, false), // 4 blocks, 96 wide, 3 heads, patches of 4x4
                new Objective.Flow(0, 1, 1), // flow matching, logit-normal times, pixels in [-1, 1]
                run(DataConfig.shapes(16)));
        return Training.run(
                config,
                runFolder,
                Map.of("command", "TrainTeacher"),
                System.out::println,
                (done, total, text) -> System.out.println(done + " of " + total + " images, " + text),
                () -> false);
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path model = train(Path.of(args[0]), Long.parseLong(args[1]));
        System.out.println("the teacher lies in " + model);
    }
}
