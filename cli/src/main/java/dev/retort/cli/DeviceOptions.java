package dev.retort.cli;

import dev.retort.torch.Device;
import dev.retort.torch.Natives;
import picocli.CommandLine.Option;

/** Where a command computes, and on how many threads. */
final class DeviceOptions {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "cpu, cuda or cuda:N; by default the GPU if there is one.")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads; by default one for each core.")
    private int threads;

    /** The device as given; null where it was not. */
    String device() {
        return device;
    }

    int threads() {
        return threads;
    }

    /** Sets the number of threads and chooses. */
    Device.Choice choose() {
        Natives.threads(threads);
        return Device.choose(device == null ? "auto" : device);
    }
}
