package dev.retort.cli;

import dev.retort.config.Configs;
import dev.retort.model.classifier.ClassifierCard;
import dev.retort.report.Provenance;
import dev.retort.train.ClassifierConfig;
import dev.retort.train.ClassifierTraining;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Trains the classifier whose features measure images. */
@Command(
        name = "train-classifier",
        header = {
            "Train a small classifier: its features measure the distance of images in 'retort evaluate'.",
            "",
            "Examples:",
            "  retort train-classifier fashion                             a few minutes on two cores",
            "  retort train-classifier fashion --set images=120000         a shorter one",
            "  retort train-classifier mine.yaml --out runs/my-classifier  then: evaluate --extractor",
            "",
            "Train it once and keep it: scores compare only under the same weights.",
            ""
        })
final class TrainClassifierCommand implements Callable<Integer> {
    @Mixin
    private Talk talk;

    @Parameters(paramLabel = "PRESET|FILE", description = "A preset ('retort presets classifier') or a YAML file.")
    private String preset;

    @Option(names = "--set", paramLabel = "A.B=V", description = "Override a value of the preset; may be repeated.")
    private List<String> overrides = List.of();

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            description = "Where the classifier goes; by default runs/NAME by its name in the preset.")
    private Path out;

    @Spec
    private CommandSpec spec;

    /** What is printed as JSON. */
    record Trained(String out, ClassifierCard card) {}

    @Override
    public Integer call() {
        ClassifierConfig config = Configs.load(ClassifierConfig.class, "classifier", preset, overrides);
        Path folder = out == null ? Path.of("runs", config.name()) : out;
        Map<String, String> provenance = new LinkedHashMap<>();
        Provenance.here(CommandText.of(spec), config.seed())
                .toMap()
                .forEach((key, value) -> provenance.put(key, String.valueOf(value)));
        ClassifierCard card;
        try (Bar bar = talk.bar("train-classifier", "images")) {
            card = ClassifierTraining.run(config, folder, provenance, talk::say, bar, () -> false);
        }
        if (talk.json()) {
            talk.terminal().json(new Trained(folder.toString(), card));
            return 0;
        }
        talk.terminal().out().println(folder);
        talk.say(String.format(
                Locale.ROOT,
                "%s recognises %.2f %% of %.0f test images, by the weights in the file.",
                card.name(),
                100 * card.metrics().get("testAccuracy"),
                card.metrics().get("testImages")));
        talk.next("retort evaluate MODEL --extractor " + folder);
        return 0;
    }
}
