package dev.retort.io;

import java.nio.file.Path;

/**
 * An element type of torch.
 *
 * @param name as torch calls it, without {@code torch.}
 * @param bytes size of one element; types of less than a byte are stored packed, as elements of one byte
 * @param read the type it is read as; null where it is only listed
 */
record TorchType(String name, int bytes, Dtype read) {
    static TorchType read(String name, Dtype dtype) {
        return new TorchType(name, dtype.bytes(), dtype);
    }

    static TorchType listed(String name, int bytes) {
        return new TorchType(name, bytes, null);
    }

    /** Bytes of a tensor of this shape; an {@link ArithmeticException} where that exceeds 63 bits. */
    long bytesOf(long[] shape) {
        long total = bytes;
        for (long dimension : shape) {
            total = Math.multiplyExact(total, dimension);
        }
        return total;
    }

    /** What the elements of a tensor of this shape are. */
    ElementType elements(long[] shape, Path file) {
        return read != null ? read : new UnreadType(name, bytesOf(shape), file);
    }
}
