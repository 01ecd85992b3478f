package dev.retort.io;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
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

    private final RandomAccess bytes;
    private final ZipFile zip;
    private final Map<String, ZipArchiveEntry> entries = new LinkedHashMap<>();

    /** Reads the list; the bytes stay the caller's. */
    Archive(RandomAccess bytes) throws IOException {
        this.bytes = bytes;
        try {
            this.zip = ZipFile.builder()
                    .setSeekableByteChannel(bytes.channel())
                    .setUseUnicodeExtraFields(false)
                    .get();
            for (ZipArchiveEntry entry : Collections.list(zip.getEntriesInPhysicalOrder())) {
                add(entry);
            }
        } catch (RuntimeException e) {
            // The zip reader answers some damage with whatever its arithmetic throws.
            throw new Malformed("its list of entries is damaged (" + e.getMessage() + ")");
        }
    }

    private void add(ZipArchiveEntry entry) throws Malformed {
        String name = entry.getName();
        if (leaves(name) || leaves(new String(entry.getRawName(), StandardCharsets.UTF_8))) {
            throw new Malformed("its entry '" + name + "' points out of the archive");
        }
        ZipMethod method = ZipMethod.getMethodByCode(entry.getMethod());
        if (method != ZipMethod.STORED && method != ZipMethod.DEFLATED
                || entry.getGeneralPurposeBit().usesEncryption()) {
            throw new Malformed("its entry '" + name + "' is encrypted or compressed in a way that is not supported");
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
        if (in.getChecksum().getValue() != entry.getCrc()) {
            throw new Malformed("its checksum does not match");
        }
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
