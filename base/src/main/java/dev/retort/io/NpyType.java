package dev.retort.io;

import java.util.Optional;

/** Element types of npy files, by the part of {@code descr} after the byte order. */
public enum NpyType {
    BOOL("b1", 1),
    U8("u1", 1),
    I8("i1", 1),
    U16("u2", 2),
    I16("i2", 2),
    F16("f2", 2),
    U32("u4", 4),
    I32("i4", 4),
    F32("f4", 4),
    U64("u8", 8),
    I64("i8", 8),
    F64("f8", 8),
    /** Numpy has no such type: those who add it have it stored as bytes without a meaning. */
    BF16("V2", 2);

    private final String code;
    private final int bytes;

    NpyType(String code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** Size of one element. */
    public int bytes() {
        return bytes;
    }

    /** The little-endian {@code descr}, such as {@code <f4} or {@code |u1}. */
    public String descr() {
        return (bytes == 1 || this == BF16 ? "|" : "<") + code;
    }

    /** Whether the values are floating-point numbers. */
    boolean floating() {
        return Dtype.valueOf(name()).floating();
    }

    /** The type of a {@code descr}, whatever its byte order, if it is one of these. */
    static Optional<NpyType> described(String descr) {
        for (NpyType type : values()) {
            if (descr.matches("[<>|].+") && type.code.equals(descr.substring(1))) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
