package dev.retort.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Where a tensor's values lie: a strided view of stored bytes.
 *
 * @param entry name, type, shape
 * @param start position of the first value
 * @param strides elements from one index to the next, for every dimension, none negative
 * @param bigEndian byte order of the values
 */
record StoredTensor(TensorEntry entry, long start, long[] strides, boolean bigEndian) {
    /** A row-major, little-endian one. */
    static StoredTensor plain(TensorEntry entry, long start) {
        return new StoredTensor(entry, start, rowMajor(entry.shape()), false);
    }

    static long[] rowMajor(long[] shape) {
        long[] strides = new long[shape.length];
        long step = 1;
        for (int d = shape.length - 1; d >= 0; d--) {
            strides[d] = step;
            step *= Math.max(1, shape[d]);
        }
        return strides;
    }

    static long[] columnMajor(long[] shape) {
        long[] strides = new long[shape.length];
        long step = 1;
        for (int d = 0; d < shape.length; d++) {
            strides[d] = step;
            step *= Math.max(1, shape[d]);
        }
        return strides;
    }

    /** Elements from the first to behind the last that this view touches; 0 where it is empty. */
    static long span(long[] shape, long[] strides) {
        long last = 0;
        for (int d = 0; d < shape.length; d++) {
            if (shape[d] == 0) {
                return 0;
            }
            last = Math.addExact(last, Math.multiplyExact(shape[d] - 1, strides[d]));
        }
        return last + 1;
    }

    private boolean contiguous() {
        long[] expected = rowMajor(entry.shape());
        for (int d = 0; d < expected.length; d++) {
            if (entry.shape()[d] > 1 && strides[d] != expected[d]) {
                return false;
            }
        }
        return true;
    }

    /** Fills the target with values from byte {@code from} of the tensor on, row-major and little-endian. */
    void read(Bytes bytes, long from, ByteBuffer target) throws IOException {
        int size = entry.dtype().bytes();
        int count = target.remaining();
        if (from < 0 || from % size != 0 || count % size != 0 || from > entry.byteCount() - count) {
            throw new IllegalArgumentException(
                    count + " bytes from " + from + " of " + entry + " of " + entry.byteCount() + " bytes");
        }
        if (count == 0) {
            return;
        }
        ByteBuffer out = target.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        if (contiguous()) {
            bytes.read(start + from, target.duplicate());
            if (bigEndian) {
                ByteBuffer in = target.duplicate().order(ByteOrder.BIG_ENDIAN);
                for (int at = target.position(); at < target.limit(); at += size) {
                    copy(in, at, out, at, size);
                }
            }
        } else {
            gather(bytes.window(start, span(entry.shape(), strides) * size), from / size, out, size);
        }
        target.position(target.limit());
        if (from + count == entry.byteCount()) {
            bytes.finish();
        }
    }

    /** Walks the indices in row-major order, following the strides. */
    private void gather(ByteBuffer in, long first, ByteBuffer out, int size) {
        in.order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        long[] shape = entry.shape();
        long[] index = new long[shape.length];
        long rest = first;
        long element = 0;
        for (int d = shape.length - 1; d >= 0; d--) {
            index[d] = rest % shape[d];
            rest /= shape[d];
            element += index[d] * strides[d];
        }
        for (int at = out.position(); at < out.limit(); at += size) {
            copy(in, (int) (element * size), out, at, size);
            for (int d = shape.length - 1; d >= 0; d--) {
                element += strides[d];
                if (++index[d] < shape[d]) {
                    break;
                }
                element -= shape[d] * strides[d];
                index[d] = 0;
            }
        }
    }

    private static void copy(ByteBuffer in, int from, ByteBuffer out, int to, int size) {
        switch (size) {
            case 1 -> out.put(to, in.get(from));
            case 2 -> out.putShort(to, in.getShort(from));
            case 4 -> out.putInt(to, in.getInt(from));
            default -> out.putLong(to, in.getLong(from));
        }
    }

    @Override
    public String toString() {
        return entry + " at " + start + " by " + Arrays.toString(strides);
    }
}
