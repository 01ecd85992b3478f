package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.io.Half;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.BiFunction;

/** A tensor in half precision while it is being filled. */
final class HalfTensor {
    private final ByteBuffer bytes;
    private final BiFunction<Integer, Float, RetortException> beyond;

    /**
     * @param size number of values
     * @param beyond what to throw where half precision cannot hold a value, by its place and itself
     */
    HalfTensor(int size, BiFunction<Integer, Float, RetortException> beyond) {
        this.bytes = ByteBuffer.allocate(Math.multiplyExact(2, size)).order(ByteOrder.LITTLE_ENDIAN);
        this.beyond = beyond;
    }

    /** Puts {@code count} values, from {@code from} of an array on, to the places from {@code at} on. */
    void put(int at, float[] values, int from, int count) {
        for (int i = 0; i < count; i++) {
            short half = Half.toF16(values[from + i]);
            if (!Float.isFinite(Half.fromF16(half))) {
                throw beyond.apply(at + i, values[from + i]);
            }
            bytes.putShort(2 * (at + i), half);
        }
    }

    /** All of it. */
    ByteBuffer bytes() {
        return bytes.duplicate();
    }
}
