package dev.retort.io;

import java.nio.file.Path;

/**
 * A type whose values are not read here, of one tensor: complex and quantised numbers, text, types that are newer than this
 * program. Such a tensor is listed, and does not keep the others of its file from being read.
 *
 * @param name what the file calls it
 * @param byteCount bytes the tensor takes in the file
 * @param file where it is stored, for messages
 */
public record UnreadType(String name, long byteCount, Path file) implements ElementType {
    @Override
    public long bytesOf(long[] shape) {
        return byteCount;
    }
}
