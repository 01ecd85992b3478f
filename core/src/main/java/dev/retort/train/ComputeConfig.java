package dev.retort.train;

import dev.retort.config.Require;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Where and how the arithmetic runs.
 *
 * @param device {@code auto}, {@code cpu} or {@code cuda[:n]}
 * @param precision {@code auto}, {@code fp32} or {@code bf16}
 * @param checkpointActivations recompute block insides in the backward pass
 * @param microBatch images per backward pass, accumulated to the batch; 0 finds the largest that fits into memory
 * @param memoryGiB memory to plan for; 0 for what the machine has free
 * @param loaderThreads background threads that decode images, at most as many as those that compute
 */
public record ComputeConfig(
        String device,
        String precision,
        boolean checkpointActivations,
        int microBatch,
        double memoryGiB,
        int loaderThreads) {
    /** Validates. */
    public ComputeConfig {
        Require.atLeast("microBatch", microBatch, 0);
        Require.atLeast("memoryGiB", memoryGiB, 0);
        Require.atLeast("loaderThreads", loaderThreads, 1);
    }

    /** What a configuration may leave out: {@link #automatic}. */
    public static Map<String, ?> defaults() {
        return Map.of(
                "device",
                "auto",
                "precision",
                "auto",
                "checkpointActivations",
                false,
                "microBatch",
                0,
                "memoryGiB",
                0,
                "loaderThreads",
                1);
    }

    /**
     * What was chosen.
     *
     * @param device where the arithmetic runs
     * @param precision of matrix products
     */
    public record Choice(Device device, Precision precision) {}

    /**
     * Chooses device and precision.
     *
     * @param notes is told both, and why
     */
    public Choice choose(Consumer<String> notes) {
        Device.Choice where = Device.choose(device);
        Precision.Choice how = Precision.choose(precision, where.device());
        notes.accept("device: " + where.device() + " (" + where.reason() + ")");
        notes.accept("precision: " + how.precision() + " (" + how.reason() + ")");
        return new Choice(where.device(), how.precision());
    }

    /** CPU or GPU and precision by themselves, no recomputing, micro-batch by memory. */
    public static ComputeConfig automatic() {
        return new ComputeConfig("auto", "auto", false, 0, 0, 1);
    }
}
