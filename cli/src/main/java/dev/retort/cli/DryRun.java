package dev.retort.cli;

import dev.retort.card.NetworkSpec;
import dev.retort.config.Configs;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.torch.Device;
import dev.retort.torch.MatmulPeak;
import dev.retort.torch.Precision;
import dev.retort.train.RunConfig;
import java.util.Locale;

/** Says what a run would take: the resolved configuration as data, the rest as talk. */
final class DryRun {
    private DryRun() {}

    /**
     * Prints it all.
     *
     * @param kind which command it is for
     * @param config what would run, printed so that it can be kept as a file
     * @param macsPerImage multiply-accumulates of one training image, forward and backward, teacher included
     */
    static void describe(
            Output output,
            String kind,
            Object config,
            RunConfig run,
            ImageSource source,
            NetworkSpec spec,
            long images,
            double macsPerImage) {
        if (output.json()) {
            output.terminal().json(config);
        } else {
            output.terminal().out().print(Configs.write(kind, config));
        }
        Datasets.describe(source, output::say);
        output.say(String.format(
                Locale.ROOT,
                "network: %s, %.1f M multiply-accumulates per image; %d images in %d optimiser steps",
                spec.name(),
                spec.macs() / 1e6,
                images,
                (images + run.batch() - 1) / run.batch()));
        Device device = Device.choose(run.compute().device()).device();
        Precision precision =
                Precision.choose(run.compute().precision(), device).precision();
        double peak = MatmulPeak.of(precision, device);
        // a multiply-accumulate is two operations
        output.say(String.format(
                Locale.ROOT,
                "time: at least %s at the %.0f GFLOP/s this machine multiplies matrices with in %s",
                Bar.duration(Math.round(2 * macsPerImage * images / peak)),
                peak / 1e9,
                precision.name().toLowerCase(Locale.ROOT)));
    }
}
