package dev.retort.io;

import java.util.Arrays;

/**
 * A tensor of a file.
 *
 * @param name key, exactly as stored
 * @param dtype element type
 * @param shape dimensions, outermost first; empty for a scalar
 */
public record TensorEntry(String name, Dtype dtype, long[] shape) {
    /** Number of elements. */
    public long elements() {
        return byteCount() / dtype.bytes();
    }

    /** Bytes of its values. */
    public long byteCount() {
        return dtype.bytesOf(shape);
    }

    @Override
    public String toString() {
        return name + " " + dtype + Arrays.toString(shape);
    }
}
