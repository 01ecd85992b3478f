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
    public RemoteFile {
        requireInside(path);
        if (size < 0 || !blobId.matches("[0-9a-f]{40}") || !sha256.matches("([0-9a-f]{64})?")) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the hub lists " + path + " with size " + size + " and hash '" + Quote.of(blobId + " " + sha256)
                            + "', so it could not be checked; nothing was fetched, see whether HF_ENDPOINT is a hub");
        }
    }

    /**
     * A file of which only what a download is told is known.
     *
     * @param etag SHA-256 of a file stored apart, else the SHA-1 that git gives it
     */
    static RemoteFile ofEtag(String path, long size, String etag) {
        boolean apart = etag.matches("[0-9a-f]{64}");
        return new RemoteFile(path, size, apart ? ContentHash.ofPointer(etag, size) : etag, apart ? etag : "");
    }

    /** The path, where it stays inside the repository's folder. Fails with CHECKPOINT. */
    static String requireInside(String path) {
        if (!SafePath.is(path)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the hub lists a file '" + Quote.of(path)
                            + "', which would not stay inside its folder; nothing was fetched, do not use this repository");
        }
        return path;
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
}
