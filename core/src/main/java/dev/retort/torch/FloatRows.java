package dev.retort.torch;

import java.nio.FloatBuffer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * The rows of an fp32 tensor on the CPU, copied to arrays and back a row at a time: Java's compiler turns loops over arrays
 * into vector instructions, and a row stays in the innermost cache meanwhile.
 */
final class FloatRows {
    /** Less is done before another thread has woken. */
    private static final double NANOS_WORTH_A_THREAD = 40_000;
    /** So that the others can take work off a thread that a neighbour holds up. */
    private static final int PARTS_A_THREAD = 2;

    private final FloatBuffer values;
    private final int count;
    private final int width;
    private final int stride;

    /** The tensor's rows along its last dimension, which {@link #fits}. */
    FloatRows(Tensor tensor) {
        width = (int) tensor.size(-1);
        count = (int) (tensor.numel() / width);
        stride = tensor.is_contiguous() ? width : (int) tensor.stride(0);
        values = tensor.data_ptr_float().capacity((count - 1L) * stride + width).asBuffer();
    }

    /** Whether the rows lie at equal distances, near enough for a buffer: a contiguous tensor, or (N, 1, D) of any kind. */
    static boolean fits(Tensor tensor) {
        if (tensor.is_cuda() || Dtype.of(tensor) != Dtype.F32 || tensor.numel() == 0) {
            return false;
        }
        if (tensor.is_contiguous()) {
            return tensor.numel() < Integer.MAX_VALUE;
        }
        return tensor.dim() > 1
                && tensor.stride(-1) == 1
                && tensor.numel() == tensor.size(0) * tensor.size(-1)
                && tensor.size(0) * tensor.stride(0) < Integer.MAX_VALUE;
    }

    int count() {
        return count;
    }

    int width() {
        return width;
    }

    void read(int row, float[] into) {
        values.get(row * stride, into, 0, width);
    }

    void write(int row, float[] from) {
        values.put(row * stride, from, 0, width);
    }

    /** Several rows of a contiguous tensor. */
    void read(int row, int rows, float[] into) {
        values.get(row * stride, into, 0, rows * width);
    }

    /** Several rows of a contiguous tensor. */
    void write(int row, int rows, float[] from) {
        values.put(row * stride, from, 0, rows * width);
    }

    /** Into how many parts work is shared out at most. */
    static int mostParts() {
        return PARTS_A_THREAD * Natives.team().threads();
    }

    /**
     * Runs every unit once, on threads of the team where there is enough to do for them.
     *
     * @param nanos what all of it takes one thread, roughly
     * @param worker makes what runs units one after the other, with arrays of its own
     */
    static void share(int units, double nanos, Supplier<IntConsumer> worker) {
        Team team = Natives.team();
        int parts = nanos < 2 * NANOS_WORTH_A_THREAD ? 1 : Math.min(units, mostParts());
        team.run(parts, part -> {
            IntConsumer unit = worker.get();
            int end = (int) ((part + 1L) * units / parts);
            for (int i = (int) ((long) part * units / parts); i < end; i++) {
                unit.accept(i);
            }
        });
    }
}
