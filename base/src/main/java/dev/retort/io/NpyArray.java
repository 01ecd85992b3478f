package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A numpy array in memory, always row-major and little-endian, whatever the file had.
 *
 * @param type element type
 * @param shape dimensions, outermost first; empty for a scalar
 * @param bytes the values
 */
public record NpyArray(NpyType type, long[] shape, byte[] bytes) {
    public NpyArray {
        long elements = 1;
        for (long dimension : shape) {
            elements = Math.multiplyExact(elements, dimension);
        }
        if (bytes.length != Math.multiplyExact(elements, (long) type.bytes())) {
            throw new IllegalArgumentException(bytes.length + " bytes for " + elements + " elements of " + type);
        }
    }

    /**
     * Reads a {@code .npy} file.
     *
     * @throws RetortException of kind DATA, naming the file and what is wrong with it
     */
    public static NpyArray read(Path path) {
        try (InputStream in = Files.newInputStream(path)) {
            NpyHeader header = NpyHeader.read(in);
            NpyArray array = read(header, in);
            if (in.read() >= 0) {
                throw new Malformed("it goes on after its last value");
            }
            return array;
        } catch (IOException e) {
            throw new RetortException(Kind.DATA, "cannot read " + path + ": " + Malformed.sentence(e), e);
        }
    }

    /** Reads the values after a head; memory grows with what the stream really holds. */
    static NpyArray read(NpyHeader header, InputStream in) throws IOException {
        NpyType type = header.type();
        long count = header.byteCount();
        if (count > Integer.MAX_VALUE - 16) {
            throw new Malformed("it exceeds 2 GiB, read it in parts");
        }
        byte[] values = in.readNBytes((int) count);
        if (values.length < count) {
            throw new Malformed("it ends after " + values.length + " of " + count + " bytes");
        }
        if (header.bigEndian()) {
            swap(values, type.bytes());
        }
        if (header.fortran()) {
            values = rowMajor(values, header.shape(), type.bytes());
        }
        return new NpyArray(type, header.shape(), values);
    }

    /** Number of elements. */
    public int elements() {
        return bytes.length / type.bytes();
    }

    /** The values of any type as doubles; 64-bit integers beyond 2^53 are rounded, booleans are 0 and 1. */
    public double[] doubles() {
        ByteBuffer values = buffer();
        double[] out = new double[elements()];
        for (int i = 0; i < out.length; i++) {
            out[i] = switch (type) {
                case BOOL, U8 -> values.get() & 0xff;
                case I8 -> values.get();
                case U16 -> values.getShort() & 0xffff;
                case I16 -> values.getShort();
                case F16 -> Half.fromF16(values.getShort());
                case U32 -> values.getInt() & 0xffffffffL;
                case I32 -> values.getInt();
                case F32 -> values.getFloat();
                case U64 -> unsigned(values.getLong());
                case I64 -> values.getLong();
                case F64 -> values.getDouble();
                case BF16 -> Half.fromBf16(values.getShort());
            };
        }
        return out;
    }

    /** The values of any type as floats, rounded where they do not fit. */
    public float[] floats() {
        float[] out = new float[elements()];
        if (type == NpyType.F32) {
            buffer().asFloatBuffer().get(out);
            return out;
        }
        double[] doubles = doubles();
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) doubles[i];
        }
        return out;
    }

    /** The values of an integer type. */
    public long[] longs() {
        if (type.floating()) {
            throw new RetortException(Kind.DATA, "the array is of " + type + ", expected integers; use another array");
        }
        ByteBuffer values = buffer();
        long[] out = new long[elements()];
        double[] small = type.bytes() < 8 ? doubles() : null;
        for (int i = 0; i < out.length; i++) {
            out[i] = small == null ? values.getLong() : (long) small[i];
        }
        return out;
    }

    /** The values, little-endian, from the first. */
    public ByteBuffer buffer() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static double unsigned(long value) {
        return value >= 0 ? value : (value >>> 1 | value & 1) * 2.0;
    }

    static void swap(byte[] values, int size) {
        for (int start = 0; start < values.length; start += size) {
            for (int i = start, j = start + size - 1; i < j; i++, j--) {
                byte kept = values[i];
                values[i] = values[j];
                values[j] = kept;
            }
        }
    }

    /** Walks the target row by row and follows the source's strides, in which the first index runs fastest. */
    private static byte[] rowMajor(byte[] columnMajor, long[] shape, int size) {
        byte[] out = new byte[columnMajor.length];
        int[] index = new int[shape.length];
        for (int to = 0; to < out.length; to += size) {
            int from = 0;
            for (int d = shape.length - 1; d >= 0; d--) {
                from = from * (int) shape[d] + index[d];
            }
            System.arraycopy(columnMajor, from * size, out, to, size);
            for (int d = shape.length - 1; d >= 0 && ++index[d] == shape[d]; d--) {
                index[d] = 0;
            }
        }
        return out;
    }
}
