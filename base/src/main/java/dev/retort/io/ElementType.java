package dev.retort.io;

/** What the elements of a stored tensor are: a type whose values are read, or one that is only listed. */
public sealed interface ElementType permits Dtype, UnreadType {
    /** How files and people call it. */
    String name();

    /** Bytes of a tensor of this shape; an {@link ArithmeticException} where that exceeds 63 bits. */
    long bytesOf(long[] shape);
}
