package dev.retort.data;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file of a data set, in a folder or an archive.
 *
 * @param path its place in the set, with forward slashes: classes and splits are read from it
 * @param name what to call it in sentences; no two files of a set have the same
 * @param disk the file itself, or the archive that it lies in
 * @param fetch gets its bytes
 */
record StoredFile(String path, String name, Path disk, Fetch fetch) {
    /** Gets the bytes of a file. */
    @FunctionalInterface
    interface Fetch {
        byte[] bytes() throws IOException;
    }

    /** The bytes. */
    byte[] bytes() throws IOException {
        return fetch.bytes();
    }
}
