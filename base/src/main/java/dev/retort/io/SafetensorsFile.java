package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A safetensors file, opened for reading: an 8-byte little-endian header length, a JSON header, the raw tensors. The
 * header is checked against the file before anything is believed or allocated. Files and tensors may exceed 2 GiB;
 * larger tensors are read or mapped in parts.
 */
public final class SafetensorsFile implements TensorFile {
    private static final long LONGEST_HEADER = 100_000_000;

    private final RandomAccess bytes;
    private final Map<String, String> metadata;
    private final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    private final Map<String, StoredTensor> stored = new LinkedHashMap<>();

    private SafetensorsFile(RandomAccess bytes, SafetensorsHeader header, long dataStart) {
        this.bytes = bytes;
        this.metadata = Collections.unmodifiableMap(header.metadata());
        header.spans().forEach((name, span) -> {
            entries.put(name, span.entry());
            stored.put(name, StoredTensor.plain(span.entry(), dataStart + span.begin()));
        });
    }

    /**
     * Opens and checks a file.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it
     */
    public static SafetensorsFile open(Path path) {
        try {
            return open(RandomAccess.open(path));
        } catch (IOException e) {
            throw refused(path, e);
        }
    }

    /** Takes over the bytes: they are closed with the file, or at once where they are refused. */
    static SafetensorsFile open(RandomAccess bytes) {
        try {
            return read(bytes);
        } catch (IOException e) {
            bytes.close();
            throw refused(bytes.path(), e);
        }
    }

    private static SafetensorsFile read(RandomAccess bytes) throws IOException {
        long size = bytes.size();
        if (size < 8) {
            throw new Malformed("it has " + size + " bytes, too few for a safetensors file");
        }
        long length = bytes.bytes(0, 8).getLong(0);
        if (length < 2 || length > LONGEST_HEADER) {
            throw new Malformed("it claims a header of " + Long.toUnsignedString(length)
                    + " bytes, so it is damaged or not a safetensors file");
        }
        if (length > size - 8) {
            throw new Malformed("it is cut off inside its header");
        }
        ByteBuffer json = bytes.bytes(8, (int) length);
        return new SafetensorsFile(
                bytes, SafetensorsHeader.parse(json.array(), size - 8 - length, bytes.path()), 8 + length);
    }

    @Override
    public Path path() {
        return bytes.path();
    }

    /** The free text pairs of the header; empty where there are none. */
    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public Map<String, TensorEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name);
        try {
            stored.get(name).read(bytes, from, target);
        } catch (IOException e) {
            throw refused(path(), e);
        }
    }

    /**
     * The bytes of one tensor of less than 2 GiB, memory-mapped, read-only, little-endian. The mapping stays valid after
     * {@link #close} and is released when the buffer is collected.
     */
    public ByteBuffer data(String name) {
        return data(name, 0, entry(name).byteCount());
    }

    /** The same for a part of one tensor, from byte {@code from} of it on. */
    public ByteBuffer data(String name, long from, long length) {
        TensorEntry entry = entry(name);
        if (from < 0 || length < 0 || from > entry.byteCount() - length) {
            throw new IllegalArgumentException(length + " bytes from " + from + " of " + entry);
        }
        try {
            return bytes.window(stored.get(name).start() + from, length);
        } catch (IOException e) {
            throw refused(path(), e);
        }
    }

    /** Copies one tensor into {@code target}, which must have exactly its bytes remaining; no mapping is made. */
    public void copy(String name, ByteBuffer target) {
        TensorEntry entry = entry(name);
        if (target.remaining() != entry.byteCount()) {
            throw new IllegalArgumentException(
                    entry + " has " + entry.byteCount() + " bytes, target " + target.remaining());
        }
        read(name, 0, target);
    }

    @Override
    public void close() {
        bytes.close();
    }

    private static RetortException refused(Path path, IOException why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + path + ": " + Malformed.sentence(why), why);
    }
}
