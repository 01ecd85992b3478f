package dev.retort.io;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Bytes read by position: of a file, or of a channel over memory. Lengths are checked before anything is allocated. */
final class RandomAccess implements Bytes, Closeable {
    private final Path path;
    private final SeekableByteChannel channel;
    private final long size;

    /** @param path what messages call the content */
    RandomAccess(Path path, SeekableByteChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = channel.size();
    }

    static RandomAccess open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new Malformed("it is a folder, not a file", "name the file inside it");
        }
        try {
            return new RandomAccess(path, FileChannel.open(path, StandardOpenOption.READ));
        } catch (NoSuchFileException e) {
            throw new Malformed("there is no such file", "check the path");
        } catch (AccessDeniedException e) {
            throw new Malformed("this user may not read it", "change its permissions");
        } catch (FileSystemException e) {
            // Its message would begin with the path, which stands in the sentence already.
            throw new Malformed(String.valueOf(e.getReason()), "check the path");
        }
    }

    Path path() {
        return path;
    }

    SeekableByteChannel channel() {
        return channel;
    }

    long size() {
        return size;
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int count = some(at, target);
            if (count < 0) {
                throw new EOFException("the file ended early");
            }
            at += count;
        }
    }

    private int some(long position, ByteBuffer target) throws IOException {
        if (channel instanceof FileChannel file) {
            return file.read(target, position);
        }
        synchronized (channel) {
            channel.position(position);
            return channel.read(target);
        }
    }

    /** A copy of so many bytes, little-endian. */
    ByteBuffer bytes(long position, int length) throws IOException {
        requireInside(position, length);
        ByteBuffer copy = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        read(position, copy);
        return copy.flip();
    }

    /** Mapped where this is a file, and then valid after {@link #close}. */
    @Override
    public ByteBuffer window(long position, long length) throws IOException {
        requireInside(position, length);
        if (length > Integer.MAX_VALUE) {
            throw new Malformed(length + " bytes are asked for at once, more than 2 GiB");
        }
        return channel instanceof FileChannel file
                ? file.map(FileChannel.MapMode.READ_ONLY, position, length).order(ByteOrder.LITTLE_ENDIAN)
                : bytes(position, (int) length);
    }

    private void requireInside(long position, long length) throws Malformed {
        if (position < 0 || length < 0 || position > size || length > size - position) {
            throw new Malformed("it is cut off: " + length + " bytes are needed at " + position + " of " + size);
        }
    }

    /** The bytes from {@code position} on, one after the other. */
    Range stream(long position, long length) throws IOException {
        requireInside(position, length);
        return new Range(position, position + length);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // Only read from: nothing can be lost by a failing close.
        }
    }

    /** A stretch of the bytes as a stream, buffered; skipping costs nothing. */
    final class Range extends InputStream {
        private static final int BUFFER = 1 << 16;
        private final ByteBuffer buffer;
        private final long end;
        private long next;

        private Range(long start, long end) {
            this.next = start;
            this.end = end;
            this.buffer =
                    ByteBuffer.allocate((int) Math.min(BUFFER, end - start)).limit(0);
        }

        /** Where the next byte lies, counted from the start of all bytes. */
        long position() {
            return next - buffer.remaining();
        }

        /** How many bytes are left. */
        long left() {
            return end - position();
        }

        private boolean fill() throws IOException {
            if (!buffer.hasRemaining() && next < end) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), end - next));
                RandomAccess.this.read(next, buffer);
                next += buffer.flip().remaining();
            }
            return buffer.hasRemaining();
        }

        @Override
        public int read() throws IOException {
            return fill() ? buffer.get() & 0xff : -1;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, buffer.remaining());
            buffer.get(target, offset, count);
            return count;
        }

        @Override
        public long skip(long count) {
            long skipped = Math.max(0, Math.min(count, left()));
            int inside = (int) Math.min(skipped, buffer.remaining());
            buffer.position(buffer.position() + inside);
            next += skipped - inside;
            return skipped;
        }
    }
}
