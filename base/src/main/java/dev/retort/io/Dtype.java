package dev.retort.io;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Element types of tensor files, by the names the safetensors header uses; multi-byte values are little-endian. */
public enum Dtype implements ElementType {
    BOOL(1),
    U8(1),
    I8(1),
    F8_E5M2(1),
    F8_E4M3(1),
    I16(2),
    U16(2),
    F16(2),
    BF16(2),
    I32(4),
    U32(4),
    F32(4),
    F64(8),
    I64(8),
    U64(8);

    private final int bytes;

    Dtype(int bytes) {
        this.bytes = bytes;
    }

    /** Size of one element. */
    public int bytes() {
        return bytes;
    }

    /** The type of this header name, if it is one. */
    public static Optional<Dtype> named(String name) {
        for (Dtype dtype : values()) {
            if (dtype.name().equals(name)) {
                return Optional.of(dtype);
            }
        }
        return Optional.empty();
    }

    /** Whether the values are floating-point numbers. */
    public boolean floating() {
        return switch (this) {
            case F8_E5M2, F8_E4M3, F16, BF16, F32, F64 -> true;
            default -> false;
        };
    }

    /** Reads {@code count} values from the buffer's position on into {@code out} at {@code at}, rounded to floats. */
    void decode(ByteBuffer in, float[] out, int at, int count) {
        for (int i = at; i < at + count; i++) {
            out[i] = switch (this) {
                case BOOL -> in.get() == 0 ? 0 : 1;
                case U8 -> in.get() & 0xff;
                case I8 -> in.get();
                case F8_E5M2 -> Half.fromF8E5M2(in.get());
                case F8_E4M3 -> Half.fromF8E4M3(in.get());
                case I16 -> in.getShort();
                case U16 -> in.getShort() & 0xffff;
                case F16 -> Half.fromF16(in.getShort());
                case BF16 -> Half.fromBf16(in.getShort());
                case I32 -> in.getInt();
                case U32 -> in.getInt() & 0xffffffffL;
                case F32 -> in.getFloat();
                case F64 -> (float) in.getDouble();
                case I64 -> in.getLong();
                case U64 -> unsigned(in.getLong());
            };
        }
    }

    /**
     * Writes {@code count} of the values from {@code at} on as this type, rounded to the nearest, at the position of a
     * little-endian {@code out}; only for F32, F16 and BF16.
     */
    public void encode(float[] values, int at, int count, ByteBuffer out) {
        for (int i = at; i < at + count; i++) {
            switch (this) {
                case F32 -> out.putFloat(values[i]);
                case F16 -> out.putShort(Half.toF16(values[i]));
                case BF16 -> out.putShort(Half.toBf16(values[i]));
                default -> throw new IllegalArgumentException("no values are written as " + this);
            }
        }
    }

    private static float unsigned(long value) {
        return value >= 0 ? value : (value >>> 1 | value & 1) * 2f;
    }

    @Override
    public long bytesOf(long[] shape) {
        long elements = 1;
        for (long dimension : shape) {
            elements = Math.multiplyExact(elements, dimension);
        }
        return Math.multiplyExact(elements, (long) bytes);
    }
}
