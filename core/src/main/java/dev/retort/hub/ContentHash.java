package dev.retort.hub;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The hash by which the hub knows a file, built up while its bytes pass: SHA-256, or the SHA-1 of a git blob. */
final class ContentHash {
    private final RemoteFile file;
    private MessageDigest digest;

    ContentHash(RemoteFile file) {
        this.file = file;
        restart();
    }

    /** Forgets all bytes. */
    void restart() {
        try {
            digest = MessageDigest.getInstance(file.sha256().isEmpty() ? "SHA-1" : "SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
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
