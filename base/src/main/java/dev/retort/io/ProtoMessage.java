package dev.retort.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A Protocol Buffers message being written: varints, fixed 32 and 64 bits, and what has a length. Large values are streamed when the message is
 * written, so a message may be longer than an array.
 */
public final class ProtoMessage {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int LENGTH_DELIMITED = 2;
    static final int FIXED32 = 5;

    private record Part(long size, SafetensorsWriter.Values body) {}

    private final List<Part> parts = new ArrayList<>();
    private ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A whole number or enum constant. */
    public ProtoMessage integer(int field, long value) {
        key(field, VARINT);
        varint(value);
        return this;
    }

    /** A double. */
    public ProtoMessage float64(int field, double value) {
        key(field, FIXED64);
        littleEndian(Double.doubleToLongBits(value), Long.BYTES);
        return this;
    }

    /** A float. */
    public ProtoMessage float32(int field, float value) {
        key(field, FIXED32);
        littleEndian(Float.floatToIntBits(value), Integer.BYTES);
        return this;
    }

    /** Bytes. */
    public ProtoMessage bytes(int field, byte[] value) {
        key(field, LENGTH_DELIMITED);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    /** Text. */
    public ProtoMessage string(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes that are asked for when the message is written. */
    public ProtoMessage streamed(int field, long length, SafetensorsWriter.Values values) {
        key(field, LENGTH_DELIMITED);
        varint(length);
        flush();
        parts.add(new Part(length, values));
        return this;
    }

    /** Another message, which is complete. */
    public ProtoMessage message(int field, ProtoMessage value) {
        key(field, LENGTH_DELIMITED);
        varint(value.size());
        flush();
        value.flush();
        parts.addAll(value.parts);
        return this;
    }

    /** Its length in bytes. */
    public long size() {
        return parts.stream().mapToLong(Part::size).sum() + out.size();
    }

    /** Writes it; an IllegalArgumentException where a streamed value has another length than was said. */
    public void write(WritableByteChannel channel) throws IOException {
        flush();
        for (Part part : parts) {
            Counting counting = new Counting(channel);
            part.body().write(counting);
            if (counting.count != part.size()) {
                throw new IllegalArgumentException(
                        "a value of " + part.size() + " bytes was given " + counting.count + " of them");
            }
        }
    }

    /** All of it, where that fits into an array. */
    public byte[] toBytes() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            write(Channels.newChannel(all));
        } catch (IOException e) {
            throw new IllegalStateException("memory refused a write", e);
        }
        return all.toByteArray();
    }

    private void flush() {
        if (out.size() > 0) {
            byte[] bytes = out.toByteArray();
            out = new ByteArrayOutputStream();
            parts.add(new Part(bytes.length, channel -> channel.write(ByteBuffer.wrap(bytes))));
        }
    }

    private void key(int field, int wireType) {
        varint((long) field << 3 | wireType);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private void littleEndian(long bits, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (bits >>> 8 * i));
        }
    }

    /** Counts what passes, and passes on all of it. */
    private static final class Counting implements WritableByteChannel {
        private final WritableByteChannel channel;
        private long count;

        Counting(WritableByteChannel channel) {
            this.channel = channel;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            int length = bytes.remaining();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            count += length;
            return length;
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() {
            // whoever opened the channel closes it
        }
    }
}
