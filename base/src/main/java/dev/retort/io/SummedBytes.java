package dev.retort.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * The bytes of one stored entry of a zip, whose checksum is compared while they are read. Read in order they are read once;
 * read in another order, what the sum lacks is read for it first.
 */
final class SummedBytes implements Bytes {
    private static final int BUFFER = 1 << 16;

    private final RandomAccess bytes;
    private final String name;
    private final long end;
    private final long expected;
    private final CRC32 sum = new CRC32();
    private long next;
    private boolean right;

    /**
     * @param name what messages call the entry
     * @param expected its checksum
     */
    SummedBytes(RandomAccess bytes, String name, long start, long length, long expected) {
        this.bytes = bytes;
        this.name = name;
        this.next = start;
        this.end = start + length;
        this.expected = expected;
    }

    @Override
    public synchronized void read(long position, ByteBuffer target) throws IOException {
        if (!right) {
            sumTo(position < next ? end : position);
            compareAtEnd();
        }
        ByteBuffer filled = target.slice();
        bytes.read(position, target);
        if (!right && position == next) {
            sum.update(filled);
            next += filled.limit();
            compareAtEnd();
        }
    }

    @Override
    public synchronized ByteBuffer window(long position, long length) throws IOException {
        finish();
        return bytes.window(position, length);
    }

    @Override
    public synchronized void finish() throws IOException {
        if (!right) {
            sumTo(end);
            compareAtEnd();
        }
    }

    private void sumTo(long position) throws IOException {
        if (next < position) {
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER, position - next));
            while (next < position) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), position - next));
                bytes.read(next, buffer);
                sum.update(buffer.flip());
                next += buffer.limit();
            }
        }
    }

    private void compareAtEnd() throws IOException {
        if (next == end) {
            Archive.compare(name, expected, sum.getValue());
            right = true;
        }
    }
}
