package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Named tensors on disk, whatever the format: what is there is known after opening, values are read when asked for, a
 * portion at a time. Values come row-major and little-endian. {@link TensorFiles#open} recognises the format.
 */
public interface TensorFile extends AutoCloseable {
    /** Bytes that {@link #floats} and those who fill networks take at a time. */
    int PORTION = 1 << 22;

    /** The file or folder. */
    Path path();

    /** The files its values lie in: itself, or the shards of an index. */
    default List<Path> files() {
        return List.of(path());
    }

    /** What the file says beside its tensors: a header's free text, or the plain values of a pickle by their path. */
    Map<String, String> metadata();

    /** All tensors by name, in the order of the file. */
    Map<String, TensorEntry> entries();

    /**
     * Copies bytes of one tensor.
     *
     * @param from first byte, counted from the tensor's first value; a multiple of the element size
     * @param target is filled up to its limit, whole elements
     * @throws RetortException naming the file and what is wrong with it
     */
    void read(String name, long from, ByteBuffer target);

    /** The tensor of that name; one that is not there is CHECKPOINT. */
    default TensorEntry entry(String name) {
        TensorEntry entry = entries().get(name);
        if (entry == null) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "cannot read " + path() + ": it holds no tensor '" + name
                            + "'; 'retort inspect' lists what it holds");
        }
        return entry;
    }

    /** One tensor as floats, rounded where they do not fit; truth values are 0 and 1. */
    default float[] floats(String name) {
        TensorEntry entry = entry(name);
        if (entry.elements() > Integer.MAX_VALUE - 16) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "cannot read " + path() + ": '" + entry + "' is too large for one array; read it in portions");
        }
        return floats(name, 0, (int) entry.elements());
    }

    /** So many values of one tensor from element {@code first} on, likewise. */
    default float[] floats(String name, long first, int count) {
        Dtype dtype = entry(name).dtype();
        float[] values = new float[count];
        ByteBuffer portion = ByteBuffer.allocate((int) Math.min(PORTION, (long) count * dtype.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < count; ) {
            int some = Math.min(count - at, portion.capacity() / dtype.bytes());
            read(name, (first + at) * dtype.bytes(), portion.clear().limit(some * dtype.bytes()));
            dtype.decode(portion.flip(), values, at, some);
            at += some;
        }
        return values;
    }

    /**
     * So many values of one tensor from element {@code first} on, for a writer: as they are, or as F32, F16 or BF16, rounded. They are read a
     * portion at a time when they are written; the file is open until then.
     */
    default SafetensorsWriter.Values values(String name, long first, long count, Dtype dtype) {
        Dtype stored = entry(name).dtype();
        return out -> {
            int step = PORTION / Math.max(dtype.bytes(), Float.BYTES);
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(PORTION, count * dtype.bytes()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (long at = 0; at < count; at += step) {
                int some = (int) Math.min(step, count - at);
                bytes.clear().limit(some * dtype.bytes());
                if (stored == dtype) {
                    read(name, (first + at) * dtype.bytes(), bytes);
                } else {
                    dtype.encode(floats(name, first + at, some), 0, some, bytes);
                }
                bytes.flip();
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
            }
        };
    }

    /**
     * Compares the checksums that the format has, reading everything; nothing is done where it has none.
     *
     * @throws RetortException naming the file and what is damaged
     */
    default void verify() {}

    /** Closes the file. */
    @Override
    void close();
}
