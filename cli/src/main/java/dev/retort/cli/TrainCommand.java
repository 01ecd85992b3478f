package dev.retort.cli;

import dev.retort.card.NetworkSpec;
import dev.retort.config.Preset;
import dev.retort.data.ImageSource;
import dev.retort.run.RunFolder;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a model, or goes on with a run that was stopped. */
@Command(
        name = "train",
        header = {
            "Train a diffusion model. The same command resumes a run that was stopped.",
            "",
            "Examples:",
            "  retort train fashion-teacher --dry-run                what it would take, and all settings",
            "  retort train fashion-teacher                          train into runs/fashion-teacher",
            "  retort train fashion-teacher --set run.batch=64 --run runs/small-batch",
            "  retort train mine.yaml --device cpu --precision fp32  a configuration of your own",
            "  retort train large.yaml --init-from runs/small        go on at another size",
            "",
            "What was read of the data is said in the line 'data: ...', what was not in lines 'left out: ...'.",
            ""
        })
final class TrainCommand implements Callable<Integer> {
    @Mixin
    private RunOptions options;

    @Mixin
    private Output output;

    @Option(
            names = "--init-from",
            paramLabel = "MODEL",
            description =
                    "Start from the weights of a run, model, .pt, diffusers folder or hf:OWNER/NAME; height and width may differ.")
    private String initFrom;

    @Override
    public Integer call() {
        Preset preset = options.preset("train");
        TrainConfig config = options.load(TrainConfig.class, preset, "run.compute.");
        if (options.dryRun()) {
            describe(config);
            return 0;
        }
        Path run = options.folder();
        if (initFrom != null && !new RunFolder(run).begun()) {
            ModelArgument.folder(initFrom, output); // fetched before the run begins, with a bar of its own
        }
        output.say("run: " + run + " (Ctrl-C saves; the same command resumes)");
        long start = System.nanoTime();
        Path model;
        try (Interrupt interrupt = Interrupt.listen(output.terminal());
                Bar bar = output.bar("train", "images")) {
            model = Training.run(
                    config,
                    initFrom == null ? "" : initFrom,
                    run,
                    options.provenance("train", config.run().seed()),
                    output::say,
                    bar,
                    interrupt);
        }
        RunResult.of(run, model, config.images(), start).tell(output, "retort sample " + run);
        return 0;
    }

    private void describe(TrainConfig config) {
        ImageSource source = config.run().data().open();
        NetworkSpec spec = config.network(source);
        // a training step costs three forward passes
        DryRun.describe(output, "train", config, config.run(), source, spec, config.images(), 3.0 * spec.macs());
        output.say("run: " + options.folder());
        output.next(options.command("train"));
    }
}
