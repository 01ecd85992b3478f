package dev.retort.cli;

import dev.retort.card.ClassifierCard;
import dev.retort.config.Configs;
import dev.retort.config.Preset;
import dev.retort.train.ClassifierConfig;
import dev.retort.train.ClassifierTraining;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Trains the small classifier by whose features and answers models are judged. */
@Command(
        name = "train-classifier",
        header = {
            "Train a small classifier whose features judge the images of models.",
            "",
            "Examples:",
            "  retort train-classifier fashion                       into runs/fashion",
            "  retort train-classifier fashion --run runs/judge --set images=100000",
            ""
        })
final class TrainClassifierCommand implements Callable<Integer> {
    @Mixin
    private RunOptions options;

    @Mixin
    private Output output;

    @Override
    public Integer call() {
        Preset preset = options.preset("classifier");
        ClassifierConfig config = options.load(ClassifierConfig.class, preset, "");
        if (options.dryRun()) {
            output.terminal().out().print(Configs.write(preset.kind(), config));
            output.next(options.command("train-classifier"));
            return 0;
        }
        Path folder = options.folder();
        ClassifierCard card;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Bar bar = output.bar("train", "images")) {
            card = ClassifierTraining.run(
                    config, folder, options.provenance("train-classifier", config.seed()), output::say, bar, interrupt);
        }
        tell(folder, card);
        return 0;
    }

    private void tell(Path folder, ClassifierCard card) {
        if (output.json()) {
            output.terminal().json(card);
        } else {
            output.terminal().out().println(folder);
        }
        output.say(String.format(
                Locale.ROOT,
                "It recognises %.2f %% of the test images; use it as --extractor %s",
                100 * card.metrics().get("testAccuracy"),
                folder));
        output.next("retort evaluate CHECKPOINT --extractor " + folder);
    }
}
