package dev.retort.cli;

import dev.retort.torch.Device;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Where a command computes, in which precision and on how many threads. */
final class Hardware {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "cpu, cuda or cuda:N; by default the GPU if there is one.")
    private String device;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "fp32 or bf16; by default what the device does fast.")
    private String precision;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads; by default one for each core.")
    private int threads;

    /** Device and precision, each said with its reason. */
    record Chosen(Device device, Precision precision) {}

    int threads() {
        return threads;
    }

    Chosen choose(Talk talk) {
        Device.Choice where = Device.choose(device == null ? "auto" : device);
        Precision.Choice how = Precision.choose(precision == null ? "auto" : precision, where.device());
        Natives.threads(threads);
        talk.say("Device " + where.device() + " (" + where.reason() + "), precision "
                + how.precision().name().toLowerCase(Locale.ROOT) + " (" + how.reason() + ")");
        return new Chosen(where.device(), how.precision());
    }

    /** The options given, as overrides of a configuration; the number of threads is set at once. */
    List<String> overrides(String prefix) {
        Natives.threads(threads);
        List<String> overrides = new ArrayList<>();
        if (device != null) {
            overrides.add(prefix + "device='" + device + "'");
        }
        if (precision != null) {
            overrides.add(prefix + "precision='" + precision + "'");
        }
        return overrides;
    }
}
