package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.zip.CheckedInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;

/**
 * A numpy {@code .npz}: a zip (also zip64) of npy arrays, stored or deflated. Checksums are compared, names that leave
 * the folder or come twice are refused, nothing is extracted. Arrays of text and other types that are no numbers are listed,
 * not read.
 */
public final class NpzFile implements TensorFile {
    /** What deflate can make of a byte at best, and more. */
    private static final long MOST_TIMES_SMALLER = 1040;

    private final RandomAccess bytes;
    private final Archive archive;
    private final Map<String, ZipArchiveEntry> arrays = new LinkedHashMap<>();
    private final Map<String, SummedBytes> summed = new HashMap<>();
    private final Kind kind;
    private Map<String, StoredTensor> stored;
    private String unpackedName;
    private NpyArray unpacked;

    private NpzFile(RandomAccess bytes, Archive archive, Kind kind) throws Malformed {
        this.kind = kind;
        this.bytes = bytes;
        this.archive = archive;
        for (Map.Entry<String, ZipArchiveEntry> entry : archive.entries().entrySet()) {
            String file = entry.getKey();
            String name = file.endsWith(".npy") ? file.substring(0, file.length() - 4) : file;
            if (arrays.put(name, entry.getValue()) != null) {
                throw new Malformed("it holds the array '" + name + "' twice");
            }
        }
    }

    /**
     * Opens a file and checks its list of arrays.
     *
     * @throws RetortException of kind DATA, naming the file and what is wrong with it
     */
    public static NpzFile open(Path path) {
        try {
            return open(RandomAccess.open(path));
        } catch (IOException e) {
            throw refused(Kind.DATA, path, Malformed.sentence(e), e);
        }
    }

    /** Takes over the bytes: they are closed with the file, or at once where they are refused. */
    static NpzFile open(RandomAccess bytes) {
        try {
            return of(bytes, new Archive(bytes), Kind.DATA);
        } catch (IOException e) {
            bytes.close();
            throw refused(Kind.DATA, bytes.path(), Malformed.sentence(e), e);
        }
    }

    /** @param kind of the errors: DATA, or CHECKPOINT where the arrays are weights */
    static NpzFile of(RandomAccess bytes, Archive archive, Kind kind) throws Malformed {
        return new NpzFile(bytes, archive, kind);
    }

    @Override
    public Path path() {
        return bytes.path();
    }

    /** None: the format has no place for them. */
    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    /** The arrays' names, in the order of the archive. */
    public Set<String> names() {
        return Collections.unmodifiableSet(arrays.keySet());
    }

    @Override
    public Map<String, TensorEntry> entries() {
        Map<String, TensorEntry> entries = new LinkedHashMap<>();
        located().forEach((name, tensor) -> entries.put(name, tensor.entry()));
        return Collections.unmodifiableMap(entries);
    }

    /** Where each array's values lie; positions are meaningful for those that are not deflated. */
    private synchronized Map<String, StoredTensor> located() {
        if (stored == null) {
            Map<String, StoredTensor> found = new LinkedHashMap<>();
            arrays.forEach((name, entry) -> {
                try (CheckedInputStream in = archive.stream(entry)) {
                    NpyHeader header = NpyHeader.read(in);
                    long start = entry.getDataOffset() + header.length();
                    long held = entry.getSize() - header.length();
                    long claimed = header.readable() ? header.byteCount() : held;
                    if (claimed < 0 || claimed > MOST_TIMES_SMALLER * (entry.getCompressedSize() + 1)) {
                        throw new Malformed("it claims more values than its bytes can hold");
                    }
                    if (Archive.stored(entry) && claimed != held) {
                        throw new Malformed("it needs " + claimed + " bytes of values, has " + held);
                    }
                    found.put(name, header.locate(name, start, held, path()));
                } catch (IOException e) {
                    throw refused(name, e);
                }
            });
            stored = found;
        }
        return stored;
    }

    @Override
    public synchronized void read(String name, long from, ByteBuffer target) {
        entry(name).dtype(); // refuses what is not read
        ZipArchiveEntry entry = arrays.get(name);
        try {
            if (!Archive.stored(entry)) {
                if (!name.equals(unpackedName)) {
                    unpacked = array(name);
                    unpackedName = name;
                }
                target.put(unpacked.buffer().position((int) from).limit((int) from + target.remaining()));
                return;
            }
            located().get(name).read(summed(name), from, target);
        } catch (IOException e) {
            throw refused(name, e);
        }
    }

    private SummedBytes summed(String name) {
        return summed.computeIfAbsent(name, key -> archive.bytes(arrays.get(key)));
    }

    @Override
    public synchronized void verify() {
        arrays.forEach((name, entry) -> {
            try {
                if (Archive.stored(entry)) {
                    summed(name).finish();
                } else {
                    try (CheckedInputStream in = archive.stream(entry)) {
                        Archive.requireSum(entry, in);
                    }
                }
            } catch (IOException e) {
                throw refused(name, e);
            }
        });
    }

    /** Reads one array whole. */
    public NpyArray array(String name) {
        try (Reader reader = reader(name)) {
            NpyArray array = NpyArray.read(reader.header(), reader.in);
            reader.finish();
            return array;
        } catch (IOException e) {
            throw refused(name, e);
        }
    }

    /**
     * Reads so many rows (indices of the first dimension) of one array, whatever its size and layout. Where the archive
     * is not deflated nothing else is read but, once, for the checksum.
     */
    public NpyArray rows(String name, long first, int count) {
        TensorEntry entry = entry(name);
        long[] shape = entry.shape().clone();
        if (shape.length == 0 || first < 0 || count < 0 || first > shape[0] - count) {
            throw new IllegalArgumentException("rows " + first + " to " + (first + count) + " of " + entry);
        }
        long row = shape[0] == 0 ? 0 : entry.byteCount() / shape[0];
        if (row * count > Integer.MAX_VALUE - 16) {
            throw refused(kind, path(), count + " rows of '" + entry + "' exceed 2 GiB; ask for fewer", null);
        }
        NpyType type = NpyType.valueOf(entry.dtype().name());
        byte[] values = new byte[(int) (row * count)];
        read(name, first * row, ByteBuffer.wrap(values));
        shape[0] = count;
        return new NpyArray(type, shape, values);
    }

    /** Opens one array to be read from its first value to its last, for those too large for memory; row-major only. */
    public Reader stream(String name) {
        try {
            Reader reader = reader(name);
            if (reader.header().fortran()) {
                reader.close();
                throw new Malformed("it is column-major, which cannot be read in one go", "read its rows");
            }
            return reader;
        } catch (IOException e) {
            throw refused(name, e);
        }
    }

    private Reader reader(String name) throws IOException {
        ZipArchiveEntry entry = arrays.get(name);
        if (entry == null) {
            throw refused(
                    kind,
                    path(),
                    "it holds no array '" + name + "', only " + arrays.keySet() + "; use another file",
                    null);
        }
        CheckedInputStream in = archive.stream(entry);
        try {
            return new Reader(path() + " [" + name + "]", kind, entry, in);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    @Override
    public void close() {
        archive.close();
        bytes.close();
    }

    /** The values of one array, read from the first to the last. */
    public static final class Reader implements AutoCloseable {
        private final String name;
        private final Kind kind;
        private final ZipArchiveEntry entry;
        private final CheckedInputStream in;
        private final NpyHeader header;
        private long left;

        private Reader(String name, Kind kind, ZipArchiveEntry entry, CheckedInputStream in) throws IOException {
            this.name = name;
            this.kind = kind;
            this.entry = entry;
            this.in = in;
            this.header = NpyHeader.read(in);
            this.left = header.byteCount();
        }

        /** Type and shape. */
        public NpyHeader header() {
            return header;
        }

        /**
         * Fills {@code target} with the next values' bytes, whole values, little-endian; the last ones bring the check of
         * the sum.
         */
        public void read(byte[] target) {
            try {
                if (in.readNBytes(target, 0, target.length) < target.length) {
                    throw new EOFException("it ended early");
                }
                if (header.bigEndian()) {
                    NpyArray.swap(target, header.type().bytes());
                }
                left -= target.length;
                if (left <= 0) {
                    finish();
                }
            } catch (IOException e) {
                throw new RetortException(kind, "cannot read " + name + ": " + Malformed.sentence(e), e);
            }
        }

        private void finish() throws IOException {
            if (in.read() >= 0) {
                throw new Malformed("it goes on after its last value");
            }
            Archive.requireSum(entry, in);
        }

        @Override
        public void close() {
            try {
                in.close();
            } catch (IOException e) {
                // Only read from: nothing can be lost by a failing close.
            }
        }
    }

    private RetortException refused(String name, IOException e) {
        return refused(kind, path(), "its array '" + name + "': " + Malformed.sentence(e), e);
    }

    private static RetortException refused(Kind kind, Path path, String why, Exception cause) {
        return new RetortException(kind, "cannot read " + path + ": " + why, cause);
    }
}
