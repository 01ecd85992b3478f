package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Arrays;

/**
 * A tensor of a file.
 *
 * @param name key, exactly as stored
 * @param type element type
 * @param shape dimensions, outermost first; empty for a scalar
 */
public record TensorEntry(String name, ElementType type, long[] shape) {
    /** Whether its values can be read. */
    public boolean readable() {
        return type instanceof Dtype;
    }

    /**
     * The type of its values.
     *
     * @throws RetortException of kind CHECKPOINT where they are of a type that is not read
     */
    public Dtype dtype() {
        if (type instanceof UnreadType unread) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "cannot read '" + name + "' of " + unread.file() + ": values of type " + unread.name()
                            + " are not supported; convert that tensor to a floating-point type such as float32");
        }
        return (Dtype) type;
    }

    /** Number of elements. */
    public long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Bytes of its values. */
    public long byteCount() {
        return type.bytesOf(shape);
    }

    @Override
    public String toString() {
        return name + " " + type.name() + Arrays.toString(shape);
    }
}
