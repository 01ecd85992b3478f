package dev.retort.cli;

import dev.retort.torch.Device;
import dev.retort.torch.Kernels;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where a command computes, in which precision and on how many threads. */
final class ComputeOptions {
    @Mixin
    private DeviceOptions asked;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "fp32 or bf16; by default what the device does fast.")
    private String precision;

    /** Device and precision, each said with its reason. */
    record Chosen(Device device, Precision precision) {}

    int threads() {
        return asked.threads();
    }

    Chosen choose(Output output) {
        Device.Choice where = asked.choose();
        Precision.Choice how = Precision.choose(precision == null ? "auto" : precision, where.device());
        output.say("Device " + where.device() + " (" + where.reason() + "), precision "
                + how.precision().name().toLowerCase(Locale.ROOT) + " (" + how.reason() + ")");
        if (!where.device().isCuda() && Kernels.measuredHere()) {
            output.say("Kernels, measured once on this machine: " + Kernels.description());
        }
        return new Chosen(where.device(), how.precision());
    }

    /** The options given, as overrides of a configuration; the number of threads is set at once. */
    List<String> overrides(String prefix) {
        Natives.threads(asked.threads());
        List<String> overrides = new ArrayList<>();
        if (asked.device() != null) {
            overrides.add(prefix + "device='" + asked.device() + "'");
        }
        if (precision != null) {
            overrides.add(prefix + "precision='" + precision + "'");
        }
        return overrides;
    }
}
