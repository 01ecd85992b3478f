package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;

/**
 * A safetensors file, opened for reading: an 8-byte little-endian header length, a JSON header, the raw tensors. The
 * header is checked against the file before anything is believed or allocated. A file may exceed 2 GiB, one tensor may
 * not.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final long LONGEST_HEADER = 100_000_000;

    private final Path path;
    private final FileChannel channel;
    private final SafetensorsHeader header;
    private final long dataStart;

    /**
     * One tensor of the file.
     *
     * @param name key, exactly as stored
     * @param dtype element type
     * @param shape dimensions, outermost first; empty for a scalar
     * @param begin first byte, counted from the start of the data section
     * @param end the byte after the last
     */
    public record Entry(String name, Dtype dtype, long[] shape, long begin, long end) {
        /** Number of elements. */
        public long elements() {
            return (end - begin) / dtype.bytes();
        }

        @Override
        public String toString() {
            return name + " " + dtype + Arrays.toString(shape);
        }
    }

    private SafetensorsFile(Path path, FileChannel channel, SafetensorsHeader header, long dataStart) {
        this.path = path;
        this.channel = channel;
        this.header = header;
        this.dataStart = dataStart;
    }

    /**
     * Opens and checks a file.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it
     */
    public static SafetensorsFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw refused(path, "it is a folder, not a safetensors file", null);
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            SafetensorsFile file = read(path, channel);
            channel = null;
            return file;
        } catch (NoSuchFileException e) {
            throw refused(path, "there is no such file", e);
        } catch (SafetensorsHeader.Malformed e) {
            throw refused(path, e.getMessage(), e);
        } catch (IOException e) {
            throw refused(path, "reading failed (" + e.getMessage() + ")", e);
        } finally {
            closeQuietly(channel);
        }
    }

    private static SafetensorsFile read(Path path, FileChannel channel)
            throws IOException, SafetensorsHeader.Malformed {
        long size = channel.size();
        if (size < 8) {
            throw new SafetensorsHeader.Malformed("it has " + size + " bytes, too few for a safetensors file");
        }
        ByteBuffer lengthField = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        readFully(channel, lengthField, 0);
        long length = lengthField.getLong(0);
        if (length < 2 || length > LONGEST_HEADER) {
            throw new SafetensorsHeader.Malformed("it claims a header of " + Long.toUnsignedString(length)
                    + " bytes, so it is no safetensors file or damaged");
        }
        if (length > size - 8) {
            throw new SafetensorsHeader.Malformed("it is cut off inside its header");
        }
        ByteBuffer json = ByteBuffer.allocate((int) length);
        readFully(channel, json, 8);
        SafetensorsHeader header = SafetensorsHeader.parse(json.array(), size - 8 - length);
        return new SafetensorsFile(path, channel, header, 8 + length);
    }

    /** The file. */
    public Path path() {
        return path;
    }

    /** The free text pairs of the header; empty where there are none. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /** All tensors by name, in the order of the header. */
    public Map<String, Entry> entries() {
        return Collections.unmodifiableMap(header.entries());
    }

    /** The tensor of that name. */
    public Entry entry(String name) {
        Entry entry = header.entries().get(name);
        if (entry == null) {
            throw refused(path, "it holds no tensor '" + name + "'", null);
        }
        return entry;
    }

    /**
     * The bytes of one tensor, memory-mapped, read-only, little-endian. The mapping stays valid after {@link #close} and
     * is released when the buffer is collected.
     */
    public ByteBuffer data(String name) {
        Entry entry = entry(name);
        try {
            long bytes = size(entry);
            return channel.map(FileChannel.MapMode.READ_ONLY, dataStart + entry.begin(), bytes)
                    .order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw refused(path, "tensor '" + name + "' cannot be read (" + e.getMessage() + ")", e);
        }
    }

    /** Copies one tensor into {@code target}, which must have exactly its bytes remaining; no mapping is made. */
    public void copy(String name, ByteBuffer target) {
        Entry entry = entry(name);
        if (target.remaining() != size(entry)) {
            throw new IllegalArgumentException(entry + " has " + size(entry) + " bytes, target " + target.remaining());
        }
        try {
            readFully(channel, target, dataStart + entry.begin());
        } catch (IOException e) {
            throw refused(path, "tensor '" + name + "' cannot be read (" + e.getMessage() + ")", e);
        }
    }

    /** One tensor of F32, F16, BF16 or F64 as floats, row-major; F64 is rounded. */
    public float[] floats(String name) {
        Entry entry = entry(name);
        ByteBuffer bytes = data(name);
        float[] values = new float[Math.toIntExact(entry.elements())];
        switch (entry.dtype()) {
            case F32 -> bytes.asFloatBuffer().get(values);
            case F16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Half.fromF16(bytes.getShort(2 * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Half.fromBf16(bytes.getShort(2 * i));
                }
            }
            case F64 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) bytes.getDouble(8 * i);
                }
            }
            default -> throw refused(path, "tensor '" + entry + "' is not of a floating-point type", null);
        }
        return values;
    }

    /** Closes the file. */
    @Override
    public void close() {
        closeQuietly(channel);
    }

    private long size(Entry entry) {
        long bytes = entry.end() - entry.begin();
        if (bytes > Integer.MAX_VALUE) {
            throw refused(path, "tensor '" + entry + "' exceeds 2 GiB", null);
        }
        return bytes;
    }

    private static void readFully(FileChannel channel, ByteBuffer target, long position) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new EOFException("the file ended early");
            }
            at += count;
        }
    }

    private static void closeQuietly(FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // Only read from: nothing can be lost by a failing close.
            }
        }
    }

    private static RetortException refused(Path path, String why, Exception cause) {
        return new RetortException(
                Kind.CHECKPOINT, "cannot read " + path + ": " + why + "; use an undamaged safetensors file", cause);
    }
}
