package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** Tells files of weights apart by what is in them. */
public final class FileHash {
    private static final int BUFFER = 1 << 16;

    private FileHash() {}

    /**
     * SHA-256 of the files' bytes, one file after another, in hex.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file that cannot be read
     */
    public static String sha256(List<Path> files) {
        MessageDigest digest = digest();
        byte[] buffer = new byte[BUFFER];
        for (Path file : files) {
            try (InputStream in = Files.newInputStream(file)) {
                for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                    digest.update(buffer, 0, n);
                }
            } catch (IOException e) {
                throw new RetortException(
                        Kind.CHECKPOINT, file + " cannot be read (" + e.getMessage() + "); check its rights", e);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** SHA-256 of the values of a file's tensors, as they are stored, one after another, in hex: the same wherever they lie. */
    public static String sha256(TensorFile file) {
        MessageDigest digest = digest();
        ByteBuffer buffer = ByteBuffer.allocate(TensorFile.PORTION).order(ByteOrder.LITTLE_ENDIAN);
        for (TensorEntry entry : file.entries().values()) {
            for (long at = 0; at < entry.byteCount(); at += buffer.capacity()) {
                file.read(entry.name(), at, buffer.clear().limit((int)
                        Math.min(buffer.capacity(), entry.byteCount() - at)));
                digest.update(buffer.flip());
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has SHA-256
        }
    }
}
