package dev.retort.io;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/** The numbers and texts of a pickle stream. No length is believed before so many bytes are known to be left. */
final class PickleInput {
    private static final int LONGEST_LINE = 1 << 12;
    private static final int LONGEST_INTEGER = 1 << 10;
    private final InputStream in;
    private long left;

    /** @param left bytes of the stream */
    PickleInput(InputStream in, long left) {
        this.in = in;
        this.left = left;
    }

    int u8() throws IOException {
        int value = in.read();
        if (value < 0) {
            throw new EOFException("its pickle ends early");
        }
        left--;
        return value;
    }

    int u16() throws IOException {
        return u8() | u8() << 8;
    }

    int i32() throws IOException {
        return u16() | u16() << 16;
    }

    long u32() throws IOException {
        return i32() & 0xffffffffL;
    }

    long i64() throws IOException {
        return u32() | u32() << 32;
    }

    /** Big-endian, unlike all else. */
    double f64() throws IOException {
        long bits = 0;
        for (int i = 0; i < 8; i++) {
            bits = bits << 8 | u8();
        }
        return Double.longBitsToDouble(bits);
    }

    byte[] bytes(long count) throws IOException {
        if (count < 0 || count > left || count > Integer.MAX_VALUE - 16) {
            throw new Malformed(
                    "its pickle claims " + Long.toUnsignedString(count) + " bytes where " + left + " are left");
        }
        byte[] bytes = in.readNBytes((int) count);
        if (bytes.length < count) {
            throw new EOFException("its pickle ends early");
        }
        left -= count;
        return bytes;
    }

    String utf8(long count) throws IOException {
        return new String(bytes(count), StandardCharsets.UTF_8);
    }

    String latin1(long count) throws IOException {
        return new String(bytes(count), StandardCharsets.ISO_8859_1);
    }

    /** Little-endian two's complement: a Long where it fits. */
    Object integer(long count) throws IOException {
        if (count > LONGEST_INTEGER) {
            throw new Malformed("its pickle holds an integer of " + count + " bytes");
        }
        byte[] bytes = bytes(count);
        for (int i = 0, j = bytes.length - 1; i < j; i++, j--) {
            byte kept = bytes[i];
            bytes[i] = bytes[j];
            bytes[j] = kept;
        }
        BigInteger value = bytes.length == 0 ? BigInteger.ZERO : new BigInteger(bytes);
        if (value.bitLength() < Long.SIZE) {
            return value.longValue();
        }
        return value;
    }

    /** Up to the next newline. */
    String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            if (line.length() == LONGEST_LINE) {
                throw new Malformed("its pickle holds a name of more than " + LONGEST_LINE + " letters");
            }
            line.append((char) c);
        }
        return line.toString();
    }
}
