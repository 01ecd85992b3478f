package dev.retort.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The hash by which the hub knows a file, built up while its bytes pass: SHA-256, or the SHA-1 of a git blob. */
final class ContentHash {
    private static final int PIECE = 1 << 18;

    private final RemoteFile file;
    private MessageDigest digest;

    ContentHash(RemoteFile file) {
        this.file = file;
        restart();
    }

    /** The SHA-1 that git gives the pointer to a file stored apart, whose text is fixed. */
    static String ofPointer(String sha256, long size) {
        String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + sha256 + "\nsize " + size + "\n";
        return HexFormat.of()
                .formatHex(digest("SHA-1")
                        .digest(("blob " + pointer.length() + "\0" + pointer).getBytes(StandardCharsets.US_ASCII)));
    }

    /** The hash of a file that lies somewhere. */
    static String of(Path path, RemoteFile file) throws IOException {
        ContentHash hash = new ContentHash(file);
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        try (FileChannel in = FileChannel.open(path)) {
            while (in.read(piece) >= 0) {
                hash.update(piece.flip());
                piece.clear();
            }
        }
        return hash.finish();
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Forgets all bytes. */
    void restart() {
        digest = digest(file.sha256().isEmpty() ? "SHA-1" : "SHA-256");
        if (file.sha256().isEmpty()) {
            digest.update(("blob " + file.size() + "\0").getBytes(StandardCharsets.US_ASCII));
        }
    }

    void update(ByteBuffer bytes) {
        digest.update(bytes);
    }

    /** The hash of all bytes, in hex. */
    String finish() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
