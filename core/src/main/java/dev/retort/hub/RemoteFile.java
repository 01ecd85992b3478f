package dev.retort.hub;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/**
 * A file of a repository at one commit, as the hub lists it.
 *
 * @param path where it lies in the repository
 * @param size bytes
 * @param blobId SHA-1 that git gives the file, or its pointer where it is stored apart
 * @param sha256 SHA-256 of a file stored apart (LFS); empty for one that git itself holds
 */
public record RemoteFile(String path, long size, String blobId, String sha256) {
    private static final int LONGEST_QUOTE = 80;

    public RemoteFile {
        if (!SafePath.is(path)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the hub lists a file '" + quote(path)
                            + "', which would not stay inside its folder; nothing was fetched, do not use this repository");
        }
        if (size < 0 || !blobId.matches("[0-9a-f]{40}") || !sha256.matches("([0-9a-f]{64})?")) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the hub lists " + path + " with size " + size + " and hash '" + quote(blobId + " " + sha256)
                            + "', so it could not be checked; nothing was fetched, see whether HF_ENDPOINT is a hub");
        }
    }

    /** What its content hashes to, and the name of its blob in the cache. */
    public String hash() {
        return sha256.isEmpty() ? blobId : sha256;
    }

    /** Its name without folders. */
    String fileName() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** The folder it lies in, empty for the top. */
    String folder() {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    private static String quote(String text) {
        String plain = text.replaceAll("\\p{Cntrl}", "?");
        return plain.length() > LONGEST_QUOTE ? plain.substring(0, LONGEST_QUOTE) + "…" : plain;
    }
}
