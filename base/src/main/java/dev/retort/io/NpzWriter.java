package dev.retort.io;

import dev.retort.error.RetortException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/**
 * Writes a numpy {@code .npz}, arrays stored uncompressed and row-major as {@code numpy.savez} does, each streamed, so
 * 50,000 pictures of 256x256 (9.8 GB, zip64) need no memory.
 */
public final class NpzWriter {
    private final ZipArchiveOutputStream zip;

    /** Adds the arrays. */
    @FunctionalInterface
    public interface Body {
        /** Adds one array after the other. */
        void write(NpzWriter writer) throws IOException;
    }

    /** Streams the values of one array. */
    @FunctionalInterface
    public interface Values {
        /** Writes all values' bytes, row-major and little-endian. */
        void write(OutputStream out) throws IOException;
    }

    private NpzWriter(ZipArchiveOutputStream zip) {
        this.zip = zip;
    }

    /**
     * Writes the file, whole or not at all.
     *
     * @throws RetortException of kind WRITE when the disk is full or refuses; a file that was there before stays
     */
    public static void write(Path path, Body body) {
        AtomicWrite.file(path, channel -> {
            ZipArchiveOutputStream zip = new ZipArchiveOutputStream(channel);
            zip.setMethod(ZipArchiveOutputStream.STORED);
            zip.setUseZip64(Zip64Mode.AsNeeded);
            body.write(new NpzWriter(zip));
            zip.finish();
        });
    }

    /** Adds an array whose values {@code values} streams; their number must be that of the shape. */
    public NpzWriter add(String name, NpyType type, long[] shape, Values values) throws IOException {
        ZipArchiveEntry entry = new ZipArchiveEntry(name + ".npy");
        entry.setTime(0); // equal contents, equal bytes
        zip.putArchiveEntry(entry);
        byte[] head = NpyHeader.encode(type, shape);
        zip.write(head);
        OutputStream buffered = new BufferedOutputStream(zip, 1 << 16);
        values.write(buffered);
        buffered.flush();
        zip.closeArchiveEntry();
        long expected = Dtype.valueOf(type.name()).bytesOf(shape);
        if (entry.getSize() != head.length + expected) {
            throw new IllegalArgumentException("array '" + name + "' of " + type + Arrays.toString(shape) + " needs "
                    + expected + " bytes, was given " + (entry.getSize() - head.length));
        }
        return this;
    }

    /** Adds an array held in memory. */
    public NpzWriter add(String name, NpyArray array) throws IOException {
        return add(name, array.type(), array.shape(), out -> out.write(array.bytes()));
    }

    /** Adds an array of F64. */
    public NpzWriter add(String name, long[] shape, double[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asDoubleBuffer().put(values);
        return add(name, new NpyArray(NpyType.F64, shape, bytes.array()));
    }

    /** Adds an array of F32. */
    public NpzWriter add(String name, long[] shape, float[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return add(name, new NpyArray(NpyType.F32, shape, bytes.array()));
    }

    /** Adds an array of I64. */
    public NpzWriter add(String name, long[] shape, long[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return add(name, new NpyArray(NpyType.I64, shape, bytes.array()));
    }
}
