package dev.retort.train;

import dev.retort.torch.Device;
import dev.retort.torch.Machine;
import dev.retort.torch.Natives;
import dev.retort.torch.TorchError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntConsumer;

/** Finds the largest number of images whose forward and backward pass fits into memory. */
final class MicroBatch {
    private static final double SAFETY = 0.8;

    private MicroBatch() {}

    /**
     * Tries small passes, measures what they cost, and extrapolates.
     *
     * @param batch images per optimiser step; the result divides it into equal parts but for the last
     * @param memoryBytes memory to plan for; 0 for what the machine has free
     * @param pass runs forward and backward over that many images and discards the gradients
     */
    static int find(int batch, long memoryBytes, Device device, IntConsumer pass) {
        if (device.isCuda()) {
            return byTrial(batch, pass);
        }
        long budget = (long) (SAFETY * (memoryBytes > 0 ? memoryBytes : Machine.availableBytes()));
        int small = Math.min(4, batch);
        pass.accept(1);
        // Memory freed before and kept in the process would be used again: the pass would seem to cost less than it
        // does.
        Natives.releaseFreed();
        resetPeak();
        long before = Machine.residentBytes();
        pass.accept(small);
        long perImage = Math.max(1, (Machine.peakResidentBytes() - before) / small);
        long already = memoryBytes > 0 ? before : 0;
        long fits = Math.max(1, (budget - already) / perImage);
        return even(batch, (int) Math.min(batch, fits));
    }

    /** Halves until a pass no longer runs out of memory. */
    private static int byTrial(int batch, IntConsumer pass) {
        for (int size = batch; size > 1; size = (size + 1) / 2) {
            try {
                pass.accept(size);
                return size;
            } catch (RuntimeException e) {
                if (!TorchError.isOutOfMemory(e)) {
                    throw e;
                }
            }
        }
        return 1;
    }

    /** The smallest size that needs no more passes than {@code largest} does. */
    static int even(int batch, int largest) {
        int passes = (batch + largest - 1) / largest;
        return (batch + passes - 1) / passes;
    }

    /** Linux: forget the peak so far, so that the next reading is of the pass alone. */
    private static void resetPeak() {
        try {
            Files.writeString(Path.of("/proc/self/clear_refs"), "5");
        } catch (IOException e) {
            // Elsewhere the peak since the start is read: a smaller micro-batch than possible, never a larger one.
        }
    }
}
