package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A numpy {@code .npz}: a zip (also zip64) of npy arrays, stored or deflated. Checksums are compared, names that leave
 * the folder or come twice are refused, nothing is extracted.
 */
public final class NpzFile implements AutoCloseable {
    private final Path path;
    private final ZipFile zip;
    private final Map<String, ZipEntry> arrays;

    private NpzFile(Path path, ZipFile zip, Map<String, ZipEntry> arrays) {
        this.path = path;
        this.zip = zip;
        this.arrays = arrays;
    }

    /**
     * Opens a file and checks its list of arrays.
     *
     * @throws RetortException of kind DATA, naming the file and what is wrong with it
     */
    public static NpzFile open(Path path) {
        ZipFile zip = null;
        try {
            zip = new ZipFile(path.toFile());
            Map<String, ZipEntry> arrays = new LinkedHashMap<>();
            for (ZipEntry entry : Collections.list(zip.entries())) {
                String name = arrayName(entry);
                if (arrays.put(name, entry) != null) {
                    throw new NpyHeader.Malformed("it holds the array '" + name + "' twice");
                }
            }
            NpzFile file = new NpzFile(path, zip, arrays);
            zip = null;
            return file;
        } catch (NoSuchFileException e) {
            throw refused(path, "there is no such file", e);
        } catch (IOException | IllegalArgumentException e) {
            throw refused(path, e.getMessage(), e);
        } finally {
            closeQuietly(zip);
        }
    }

    private static String arrayName(ZipEntry entry) throws NpyHeader.Malformed {
        String name = entry.getName();
        if (name.startsWith("/") || name.contains("\\") || name.contains(":") || name.matches("(.*/)?\\.\\.(/.*)?")) {
            throw new NpyHeader.Malformed("its entry '" + name + "' points out of the archive");
        }
        return name.endsWith(".npy") ? name.substring(0, name.length() - 4) : name;
    }

    /** The arrays' names, in the order of the archive. */
    public Set<String> names() {
        return Collections.unmodifiableSet(arrays.keySet());
    }

    /** Reads one array whole. */
    public NpyArray array(String name) {
        try (Reader reader = reader(name)) {
            NpyArray array = NpyArray.read(reader.header(), reader.in);
            reader.finish();
            return array;
        } catch (IOException e) {
            throw refused(path, "its array '" + name + "' is damaged: " + e.getMessage(), e);
        }
    }

    /** Opens one array to be read in parts, for those too large for memory; row-major arrays only. */
    public Reader stream(String name) {
        try {
            Reader reader = reader(name);
            if (reader.header().fortran() || reader.header().bigEndian()) {
                reader.close();
                throw new NpyHeader.Malformed("it is not row-major and little-endian, which reading in parts needs");
            }
            return reader;
        } catch (IOException e) {
            throw refused(path, "its array '" + name + "' is damaged: " + e.getMessage(), e);
        }
    }

    private Reader reader(String name) throws IOException {
        ZipEntry entry = arrays.get(name);
        if (entry == null) {
            throw refused(path, "it holds no array '" + name + "', only " + arrays.keySet(), null);
        }
        InputStream in = zip.getInputStream(entry);
        try {
            return new Reader(path + " [" + name + "]", entry, in);
        } catch (IOException | RuntimeException e) {
            in.close();
            throw e;
        }
    }

    /** Closes the file. */
    @Override
    public void close() {
        closeQuietly(zip);
    }

    /** The values of one array, read from the first to the last. */
    public static final class Reader implements AutoCloseable {
        private final String name;
        private final ZipEntry entry;
        private final CheckedInputStream in;
        private final NpyHeader header;
        private long left;

        private Reader(String name, ZipEntry entry, InputStream raw) throws IOException {
            this.name = name;
            this.entry = entry;
            this.in = new CheckedInputStream(new BufferedInputStream(raw, 1 << 16), new CRC32());
            this.header = NpyHeader.read(in);
            this.left = header.byteCount();
        }

        /** Type and shape. */
        public NpyHeader header() {
            return header;
        }

        /** Fills {@code target} with the next values' bytes, little-endian; the last ones bring the check of the sum. */
        public void read(byte[] target) {
            try {
                if (in.readNBytes(target, 0, target.length) < target.length) {
                    throw new EOFException("it ended early");
                }
                left -= target.length;
                if (left <= 0) {
                    finish();
                }
            } catch (IOException e) {
                throw new RetortException(
                        Kind.DATA, "cannot read " + name + ": " + e.getMessage() + "; write the file again", e);
            }
        }

        private void finish() throws IOException {
            if (in.read() >= 0) {
                throw new NpyHeader.Malformed("it goes on after its last value");
            }
            if (in.getChecksum().getValue() != entry.getCrc()) {
                throw new NpyHeader.Malformed("its checksum does not match");
            }
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

    private static void closeQuietly(ZipFile zip) {
        try {
            if (zip != null) {
                zip.close();
            }
        } catch (IOException e) {
            // Only read from: nothing can be lost by a failing close.
        }
    }

    private static RetortException refused(Path path, String why, Exception cause) {
        return new RetortException(
                Kind.DATA, "cannot read " + path + ": " + why + "; use an undamaged npz file", cause);
    }
}
