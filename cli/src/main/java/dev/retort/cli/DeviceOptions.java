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
            converter = Numbers.Threads.class,
            description = "CPU threads, 1 to 1024; by default one for each core.")
    private Integer threads;

    /** The device as given; null where it was not. */
    String device() {
        return device;
    }

    /** The number of threads; 0 for the automatic one. */
    int threads() {
        return threads == null ? 0 : threads;
    }

    /** Sets the number of threads and chooses. */
    Device.Choice choose() {
        Natives.threads(threads());
        return Device.choose(device == null ? "auto" : device);
    }
}
