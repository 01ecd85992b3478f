package dev.retort.io;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Stored bytes by their position in the file. */
interface Bytes {
    /** Fills what remains of the target from {@code position} on. */
    void read(long position, ByteBuffer target) throws IOException;

    /** So many bytes at once, read-only and little-endian. */
    ByteBuffer window(long position, long length) throws IOException;

    /** Says that a tensor was read to its end: what is left to check of its bytes is checked now. */
    default void finish() throws IOException {}
}
