package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A Protocol Buffers message in a file being read, field by field. What is not asked for is skipped without being read, so
 * weights cost nothing. Whatever ends early or is longer than what it stands in is refused as CHECKPOINT.
 */
public final class ProtoReader {
    private static final int MOST_TEXT = 1 << 26;

    private final RandomAccess.Range in;
    private final long end;
    private int field;
    private int wire;
    private boolean pending;

    private ProtoReader(RandomAccess.Range in, long end) {
        this.in = in;
        this.end = end;
    }

    /** Reads the message that a file is. */
    @FunctionalInterface
    public interface Body<T> {
        /** From the first field to the last. */
        T read(ProtoReader message);
    }

    /**
     * Reads a file.
     *
     * @param what what it should be, such as {@code an ONNX file}
     * @throws RetortException of kind CHECKPOINT naming the file and what is wrong with it
     */
    public static <T> T file(Path path, String what, Body<T> body) {
        try (RandomAccess file = RandomAccess.open(path)) {
            return body.read(new ProtoReader(file.stream(0, file.size()), file.size()));
        } catch (Broken e) {
            throw refused(
                    path, e.getMessage() + ", so it is not " + what + ", or is damaged; export or fetch it again");
        } catch (IOException e) {
            throw refused(path, Malformed.sentence(e));
        }
    }

    private static RetortException refused(Path path, String why) {
        return new RetortException(Kind.CHECKPOINT, "cannot read " + path + ": " + why);
    }

    /** Goes to the next field, past whatever is left of the one before; false at the end of the message. */
    public boolean next() {
        if (pending) {
            skip();
        }
        if (in.position() == end) {
            return false;
        }
        long key = varint();
        field = (int) (key >>> 3);
        wire = (int) (key & 7);
        pending = true;
        if (field <= 0 || key >>> 32 != 0) {
            throw new Broken("it has a field numbered " + (key >>> 3));
        }
        return true;
    }

    /** The number of the field. */
    public int field() {
        return field;
    }

    /** The field's whole number. */
    public long integer() {
        require(ProtoMessage.VARINT);
        return varint();
    }

    /** The field's text. */
    public String string() {
        require(ProtoMessage.LENGTH_DELIMITED);
        long length = length();
        if (length > MOST_TEXT) {
            throw new Broken("it has a text of " + length + " bytes");
        }
        byte[] bytes = new byte[(int) length];
        for (int at = 0; at < bytes.length; ) {
            at += some(bytes, at);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** The field's message. */
    public <T> T message(Body<T> body) {
        require(ProtoMessage.LENGTH_DELIMITED);
        long length = length();
        long inner = in.position() + length;
        T result = body.read(new ProtoReader(in, inner));
        if (in.position() != inner) {
            in.skip(inner - in.position());
        }
        return result;
    }

    private void skip() {
        pending = false;
        switch (wire) {
            case ProtoMessage.VARINT -> varint();
            case ProtoMessage.FIXED64 -> skip(Long.BYTES);
            case ProtoMessage.FIXED32 -> skip(Integer.BYTES);
            case ProtoMessage.LENGTH_DELIMITED -> in.skip(length());
            default -> throw new Broken("field " + field + " is of the wire type " + wire);
        }
    }

    private void skip(int bytes) {
        requireLeft(bytes);
        in.skip(bytes);
    }

    private void require(int type) {
        pending = false;
        if (wire != type) {
            throw new Broken("field " + field + " is of the wire type " + wire + ", not " + type);
        }
    }

    private long length() {
        long length = varint();
        requireLeft(length);
        return length;
    }

    private void requireLeft(long bytes) {
        if (bytes < 0 || bytes > end - in.position()) {
            throw new Broken(
                    "a value of " + bytes + " bytes ends behind the " + (end - in.position()) + " that are left");
        }
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            requireLeft(1);
            int next = one();
            value |= (long) (next & 0x7f) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw new Broken("a whole number has more than 10 bytes");
    }

    private int one() {
        try {
            return in.read();
        } catch (IOException e) {
            throw new Broken(String.valueOf(e.getMessage()));
        }
    }

    private int some(byte[] bytes, int at) {
        try {
            return in.read(bytes, at, bytes.length - at);
        } catch (IOException e) {
            throw new Broken(String.valueOf(e.getMessage()));
        }
    }

    /** What is wrong, until the file's name is added. */
    private static final class Broken extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Broken(String message) {
            super(message, null, false, false);
        }
    }
}
