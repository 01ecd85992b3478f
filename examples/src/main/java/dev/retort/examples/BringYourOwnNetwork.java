package dev.retort.examples;

import dev.retort.config.Configs;
import dev.retort.distill.Distillation;
import dev.retort.distill.Recipe;
import dev.retort.report.Progress;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Lesson 9: a network that the library has never seen, trained and distilled by ordinary configurations. It takes four small
 * classes: what a person decides ({@link MixerConfig}), what a network is ({@link MixerSpec}), the network ({@link Mixer}) and
 * the architecture that builds it ({@link MixerArchitecture}), which a line in {@code META-INF/services} makes known.
 * Arguments: the two YAML files beside this lesson's resources, a folder for the runs.
 */
public final class BringYourOwnNetwork {
    private static final Map<String, String> MADE_BY = Map.of("command", "BringYourOwnNetwork");
    private static final Progress SHOWN =
            (done, total, text) -> System.out.println(done + " of " + total + " images, " + text);

    private BringYourOwnNetwork() {}

    /** Trains the teacher and returns its model's folder; {@code overrides} as {@code --set} takes them. */
    public static Path train(Path file, Path runFolder, List<String> overrides) {
        TrainConfig config = Configs.load(TrainConfig.class, "train", file.toString(), overrides);
        return Training.run(config, runFolder, MADE_BY, System.out::println, SHOWN, () -> false);
    }

    /** Distils the student and returns its model's folder. */
    public static Path distil(Path file, Path runFolder, List<String> overrides) {
        Recipe recipe = Configs.load(Recipe.class, "distill", file.toString(), overrides);
        return Distillation.run(recipe, runFolder, MADE_BY, System.out::println, SHOWN, () -> false);
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        Path runs = Path.of(args[2]);
        Path teacher = train(Path.of(args[0]), runs.resolve("mixer-teacher"), List.of());
        Path student = distil(Path.of(args[1]), runs.resolve("mixer-student"), List.of("teacher.model=" + teacher));
        System.out.println("the student lies in " + student);
    }
}
