package dev.retort.data;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipEncoding;
import org.apache.commons.compress.archivers.zip.ZipEncodingHelper;

/**
 * One pass over the headers of a tar archive, from entry to entry; of one that is not compressed the data in between are
 * not read. Long names are those of GNU ({@code L}, {@code K}) or POSIX (pax). Every {@link IOException} says which file was
 * the last whole one.
 */
final class TarHeaders implements AutoCloseable {
    private static final int BLOCK = 512;
    private static final int SMALL_BUFFER = 4096;
    private static final int LONGEST_EXTENSION = 1 << 20;
    private static final ZipEncoding UTF_8 = ZipEncodingHelper.getZipEncoding(StandardCharsets.UTF_8.name());

    private final boolean addressable;
    private final InputStream in;
    private final long length;
    private final Map<String, String> global = new HashMap<>();
    private long position;
    private Entry current;
    private long left;
    private String whole = "";

    /**
     * A file of the archive.
     *
     * @param header its kind
     * @param path its name as it stands there
     * @param link what it leads to, where it is a link
     * @param offset where its bytes begin, where the archive is not compressed
     * @param size number of its bytes
     */
    record Entry(TarArchiveEntry header, String path, String link, long offset, long size) {
        boolean isPlainFile() {
            return header.isFile() && !header.isFIFO() && !header.isCharacterDevice() && !header.isBlockDevice();
        }
    }

    TarHeaders(Path archive) throws IOException {
        addressable = !Compressed.is(archive);
        length = addressable ? Files.size(archive) : Long.MAX_VALUE;
        in = addressable
                ? new BufferedInputStream(Files.newInputStream(archive), SMALL_BUFFER)
                : Compressed.open(archive);
    }

    /** Whether the offsets of entries are places in the file. */
    boolean isAddressable() {
        return addressable;
    }

    /** The next file; null after the last. */
    Entry next() throws IOException {
        try {
            skipRest();
            current = read();
            left = current == null ? 0 : current.size();
            if (current != null && current.offset() + current.size() > length) {
                throw new EOFException("it is cut off inside " + current.path());
            }
            return current;
        } catch (IOException | IllegalArgumentException e) {
            throw told(e);
        }
    }

    /** The bytes of the file that was last given. */
    byte[] bytes() throws IOException {
        try {
            byte[] bytes = in.readNBytes(Math.toIntExact(left));
            position += bytes.length;
            if (bytes.length < left) {
                throw new EOFException("it is cut off inside " + current.path());
            }
            left = 0;
            return bytes;
        } catch (IOException e) {
            throw told(e);
        }
    }

    private void skipRest() throws IOException {
        if (current != null) {
            skip(left);
            whole = current.path();
            skip(Math.min(padding(current.size()), length - position));
        }
    }

    private static long padding(long size) {
        return (BLOCK - size % BLOCK) % BLOCK;
    }

    private void skip(long bytes) throws IOException {
        try {
            in.skipNBytes(bytes);
        } catch (EOFException e) {
            throw new EOFException("it is cut off inside " + current.path());
        }
        position += bytes;
    }

    private Entry read() throws IOException {
        Map<String, String> told = new HashMap<>(global);
        while (true) {
            byte[] block = in.readNBytes(BLOCK);
            if (block.length == 0 || isZero(block)) {
                return null;
            }
            if (block.length < BLOCK) {
                throw new EOFException("it is cut off at byte " + (position + block.length));
            }
            TarArchiveEntry header = new TarArchiveEntry(block, UTF_8, true);
            if (!header.isCheckSumOK()) {
                throw new IOException("no header of a file stands at byte " + position);
            }
            position += BLOCK;
            if (header.isGNULongNameEntry()) {
                told.put("path", terminated(extension(header)));
            } else if (header.isGNULongLinkEntry()) {
                told.put("linkpath", terminated(extension(header)));
            } else if (header.isPaxHeader()) {
                records(extension(header), told);
            } else if (header.isGlobalPaxHeader()) {
                records(extension(header), global);
                told.putAll(global);
            } else {
                return entry(header, told);
            }
        }
    }

    private Entry entry(TarArchiveEntry header, Map<String, String> told) throws IOException {
        String path = told.getOrDefault("path", header.getName());
        if (header.isGNUSparse() || told.keySet().stream().anyMatch(key -> key.startsWith("GNU.sparse."))) {
            throw new IOException(
                    path + " is stored with holes, which are not read; write the archive without sparse files");
        }
        long size = told.containsKey("size") ? Long.parseLong(told.get("size")) : header.getSize();
        if (size < 0) {
            throw new IOException(path + " has a size of " + size);
        }
        return new Entry(header, path, told.getOrDefault("linkpath", header.getLinkName()), position, size);
    }

    private byte[] extension(TarArchiveEntry header) throws IOException {
        if (header.getSize() < 0 || header.getSize() > LONGEST_EXTENSION) {
            throw new IOException("a name of " + header.getSize() + " bytes stands at byte " + position);
        }
        int size = (int) header.getSize();
        byte[] bytes = in.readNBytes(size);
        in.skipNBytes(padding(size));
        position += size + padding(size);
        if (bytes.length < size) {
            throw new EOFException("it is cut off at byte " + position);
        }
        return bytes;
    }

    private static String terminated(byte[] bytes) {
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] == 0) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    /** Records of pax: {@code LENGTH KEY=VALUE} and a line end, the length of the whole record. */
    private static void records(byte[] bytes, Map<String, String> into) throws IOException {
        for (int at = 0; at < bytes.length && bytes[at] != 0; ) {
            int space = at;
            while (space < bytes.length && bytes[space] != ' ') {
                space++;
            }
            int end = at + Integer.parseInt(new String(bytes, at, space - at, StandardCharsets.US_ASCII));
            if (end > bytes.length || end <= space) {
                throw new IOException("a damaged pax header");
            }
            String record = new String(bytes, space + 1, end - space - 2, StandardCharsets.UTF_8);
            int equals = record.indexOf('=');
            if (equals < 0) {
                throw new IOException("a damaged pax header");
            }
            into.put(record.substring(0, equals), record.substring(equals + 1));
            at = end;
        }
    }

    private static boolean isZero(byte[] block) {
        for (byte value : block) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    private IOException told(Exception e) {
        return new IOException(e.getMessage() + (whole.isEmpty() ? "" : "; the last whole file is " + whole), e);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
