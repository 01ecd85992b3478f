package dev.retort.hub;

import java.nio.file.Path;

/**
 * What a pull brought.
 *
 * @param path the commit's folder in the cache, or the file or folder in it that was named
 * @param commit the revision's commit
 * @param files files that belong to it
 * @param bytes their bytes
 * @param fetched bytes of them that came over the network now
 */
public record Snapshot(Path path, String commit, int files, long bytes, long fetched) {}
