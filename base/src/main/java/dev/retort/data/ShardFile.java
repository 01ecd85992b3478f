package dev.retort.data;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsFile;
import dev.retort.io.TensorEntry;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/** A file of a cache, opened for reading: its tensors are mapped, and what does not belong to the cache is refused by name. */
final class ShardFile implements AutoCloseable {
    static final String LABELS = "labels";

    private final SafetensorsFile file;
    private final String command;

    /** @param command what makes such files, such as {@code retort encode} */
    ShardFile(Path path, String command) {
        this.file = SafetensorsFile.open(path);
        this.command = command;
    }

    boolean has(String name) {
        return file.entries().containsKey(name);
    }

    /** A tensor of exactly this type and shape. */
    ByteBuffer data(String name, Dtype dtype, long... shape) {
        TensorEntry entry = file.entries().get(name);
        if (entry == null || entry.dtype() != dtype || !Arrays.equals(entry.shape(), shape)) {
            throw foreign(name, dtype + " of " + Arrays.toString(shape));
        }
        return file.data(name);
    }

    /** Bytes, as many as there are. */
    ByteBuffer bytes(String name) {
        TensorEntry entry = file.entries().get(name);
        if (entry == null || entry.dtype() != Dtype.U8) {
            throw foreign(name, "U8");
        }
        return file.data(name);
    }

    /** The label of each row. */
    int[] labels(int rows, int classes) {
        ByteBuffer bytes = data(LABELS, Dtype.I64, rows);
        int[] labels = new int[rows];
        for (int i = 0; i < rows; i++) {
            long label = bytes.getLong(8 * i);
            if (label < 0 || label >= Math.max(1, classes)) {
                throw foreign(LABELS, "numbers of " + classes + " classes");
            }
            labels[i] = (int) label;
        }
        return labels;
    }

    RetortException foreign(String tensor, String expected) {
        return new RetortException(
                Kind.DATA,
                file.path() + " does not belong to this cache: expected '" + tensor + "' as " + expected
                        + "; delete it and run the same '" + command + "' again");
    }

    @Override
    public void close() {
        file.close();
    }
}
