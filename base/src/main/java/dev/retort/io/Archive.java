package dev.retort.io;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.apache.commons.compress.archivers.zip.ZipMethod;

/**
 * The list of a zip (also zip64), read strictly: names that leave the folder or come twice are refused, as is what is
 * neither stored nor deflated, or encrypted. Nothing is extracted.
 */
final class Archive implements Closeable {
    private static final Pattern OUTSIDE = Pattern.compile("^/|\\\\|:|(^|/)\\.\\.(/|$)");

    private static final int END_MARK = 0x06054b50;
    private static final int SHORTEST_END = 22;
    /** The record may be followed by a comment of 64 KiB. */
    private static final int LONGEST_END = SHORTEST_END + 0xffff;

    private final RandomAccess bytes;
    private final ZipFile zip;
    private final Map<String, ZipArchiveEntry> entries = new LinkedHashMap<>();

    /** Reads the list; the bytes stay the caller's. */
    Archive(RandomAccess bytes) throws IOException {
        this.bytes = bytes;
        requireEnd();
        try {
            this.zip = ZipFile.builder()
                    .setSeekableByteChannel(bytes.channel())
                    .setUseUnicodeExtraFields(false)
                    .get();
            for (ZipArchiveEntry entry : Collections.list(zip.getEntriesInPhysicalOrder())) {
                add(entry);
            }
        } catch (Malformed e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // The zip reader answers some damage with whatever its arithmetic throws, and wraps what it has to say.
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new Malformed("its list of entries is damaged (" + cause.getMessage() + ")");
        }
    }

    /** A zip ends with a record that says where its list is; what lacks it lost its end. */
    private void requireEnd() throws IOException {
        int length = (int) Math.min(bytes.size(), LONGEST_END);
        ByteBuffer tail = bytes.bytes(bytes.size() - length, length);
        for (int at = length - SHORTEST_END; at >= 0; at--) {
            if (tail.getInt(at) == END_MARK) {
                return;
            }
        }
        throw new Malformed("it is cut off: after " + bytes.size() + " bytes the list that ends every zip is missing");
    }

    private void add(ZipArchiveEntry entry) throws Malformed {
        String name = entry.getName();
        if (leaves(name) || leaves(new String(entry.getRawName(), StandardCharsets.UTF_8))) {
            throw new Malformed("its entry '" + name + "' points out of the archive");
        }
        ZipMethod method = ZipMethod.getMethodByCode(entry.getMethod());
        if (method != ZipMethod.STORED && method != ZipMethod.DEFLATED
                || entry.getGeneralPurposeBit().usesEncryption()) {
            throw new Malformed(
                    "its entry '" + name + "' is encrypted or compressed in a way that is not supported",
                    "save the file again without that");
        }
        long start = entry.getDataOffset();
        long length = entry.getCompressedSize();
        if (start < 0 || length < 0 || start > bytes.size() || length > bytes.size() - start || entry.getSize() < 0) {
            throw new Malformed("its entry '" + name + "' is cut off");
        }
        if (method == ZipMethod.STORED && length != entry.getSize()) {
            throw new Malformed("its entry '" + name + "' has two sizes");
        }
        if (entries.put(name, entry) != null) {
            throw new Malformed("it holds the entry '" + name + "' twice");
        }
    }

    private static boolean leaves(String name) {
        return OUTSIDE.matcher(name).find();
    }

    /** All entries by name, in the order of their bytes. */
    Map<String, ZipArchiveEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    /** Whether an entry's bytes lie in the file as they are. */
    static boolean stored(ZipArchiveEntry entry) {
        return entry.getMethod() == ZipMethod.STORED.getCode();
    }

    /** An entry's content, inflated where it was deflated; {@link #requireSum} checks it afterwards. */
    CheckedInputStream stream(ZipArchiveEntry entry) throws IOException {
        InputStream in =
                stored(entry) ? bytes.stream(entry.getDataOffset(), entry.getSize()) : zip.getInputStream(entry);
        return new CheckedInputStream(in, new CRC32());
    }

    /** Reads what is left and compares the checksum. */
    static void requireSum(ZipArchiveEntry entry, CheckedInputStream in) throws IOException {
        byte[] buffer = new byte[1 << 13];
        while (in.read(buffer) >= 0) {
            // Only the sum is wanted.
        }
        compare(entry.getName(), entry.getCrc(), in.getChecksum().getValue());
    }

    /** Refuses an entry of another checksum than its own; a sum of 0 is what torch writes where it is told to make none. */
    static void compare(String name, long expected, long sum) throws Malformed {
        if (expected != 0 && sum != expected) {
            throw new Malformed("the checksum of its entry '" + name + "' does not match, so bytes of it are damaged");
        }
    }

    /** The bytes of an entry that is not compressed, whose checksum is compared as they are read. */
    SummedBytes bytes(ZipArchiveEntry entry) {
        return new SummedBytes(bytes, entry.getName(), entry.getDataOffset(), entry.getSize(), entry.getCrc());
    }

    /** One whole entry of at most {@code most} bytes, its checksum compared; memory grows with what really comes. */
    byte[] content(ZipArchiveEntry entry, int most) throws IOException {
        try (CheckedInputStream in = stream(entry)) {
            byte[] content = in.readNBytes(most);
            if (in.read() >= 0) {
                throw new Malformed("its entry '" + entry.getName() + "' exceeds " + most + " bytes");
            }
            requireSum(entry, in);
            return content;
        }
    }

    @Override
    public void close() {
        try {
            zip.close();
        } catch (IOException e) {
            // Only read from: nothing can be lost by a failing close.
        }
    }
}
