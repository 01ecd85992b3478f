package dev.retort.cli;

import dev.retort.config.Configs;
import dev.retort.config.Preset;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.model.dit.DitSpec;
import dev.retort.torch.Device;
import dev.retort.torch.MatmulPeak;
import dev.retort.torch.Precision;
import dev.retort.train.ComputeConfig;
import dev.retort.train.TrainConfig;
import dev.retort.train.Training;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Trains a model, or goes on with a run that was stopped. */
@Command(
        name = "train",
        header = {
            "Train a diffusion transformer. The same command resumes a run that was stopped.",
            "",
            "Examples:",
            "  retort train fashion-teacher --dry-run                what it would take, and all settings",
            "  retort train fashion-teacher                          train into runs/fashion-teacher",
            "  retort train fashion-teacher --set run.batch=64 --run runs/small-batch",
            "  retort train mine.yaml --device cpu --precision fp32  a configuration of your own",
            ""
        })
final class TrainCommand implements Callable<Integer> {
    @Mixin
    private RunOptions options;

    @Mixin
    private Talk talk;

    /** What is printed as JSON. */
    record Trained(String run, String model, long images, double seconds) {}

    @Override
    public Integer call() {
        Preset preset = options.preset("train");
        TrainConfig config = options.load(TrainConfig.class, preset);
        if (options.dryRun()) {
            describe(config);
            return 0;
        }
        Path run = options.folder();
        talk.say("run: " + run + " (Ctrl-C saves; the same command resumes)");
        long start = System.nanoTime();
        Path model;
        try (Interrupt interrupt = Interrupt.listen(talk.terminal());
                Bar bar = talk.bar("train", "images")) {
            model = Training.run(
                    config, run, options.provenance("train", config.run().seed()), talk::say, bar, interrupt);
        }
        tell(new Trained(run.toString(), model.toString(), config.images(), (System.nanoTime() - start) / 1e9));
        return 0;
    }

    private void tell(Trained trained) {
        if (talk.json()) {
            talk.terminal().json(trained);
        } else {
            talk.terminal().out().println(trained.model());
        }
        talk.say("The model is in " + trained.model() + ", pictures and curves in " + trained.run());
        talk.next("retort sample " + trained.run());
    }

    /** The configuration on stdout, so that it can be kept as a file; what it takes on stderr. */
    private void describe(TrainConfig config) {
        if (talk.json()) {
            talk.terminal().json(config);
        } else {
            talk.terminal().out().print(Configs.write(config));
        }
        ImageSource source = Datasets.open(config.run().data());
        DitSpec spec = config.model().spec(source, config.objective().learnSigma());
        ComputeConfig compute = config.run().compute();
        Device device = Device.choose(compute.device()).device();
        Precision precision = Precision.choose(compute.precision(), device).precision();
        // a training step is three forward passes; a multiply-accumulate is two operations
        double operations = 6.0 * spec.macs() * config.images();
        double peak = MatmulPeak.measure(precision, device);
        talk.say(String.format(
                Locale.ROOT,
                "data: %s, %d x %d, %d classes, %s",
                source.name(),
                source.height(),
                source.width(),
                source.classNames().size(),
                source.size() == ImageSource.INFINITE ? "without end" : source.size() + " images"));
        talk.say(String.format(
                Locale.ROOT,
                "network: %s, %.1f M multiply-accumulates per image; %d optimiser steps",
                spec.name(),
                spec.macs() / 1e6,
                (config.images() + config.run().batch() - 1) / config.run().batch()));
        talk.say(String.format(
                Locale.ROOT,
                "time: at least %s at the %.0f GFLOP/s this machine multiplies matrices with in %s",
                Bar.duration(Math.round(operations / peak)),
                peak / 1e9,
                precision.name().toLowerCase(Locale.ROOT)));
        talk.say("run: " + options.folder());
        talk.next(options.command("train"));
    }
}
