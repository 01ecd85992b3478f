package dev.retort.torch;

import java.nio.FloatBuffer;
import org.bytedeco.pytorch.Tensor;

/**
 * The rows of an fp32 tensor on the CPU, copied to arrays and back a row at a time: Java's compiler turns loops over arrays
 * into vector instructions, and a row stays in the innermost cache meanwhile.
 */
final class FloatRows {
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
}
