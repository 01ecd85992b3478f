package dev.retort.layout;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TensorEntry;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Shapes of a file's tensors, of which a network is told.
 *
 * @param path what errors name
 * @param what the network that it is read as
 * @param entries tensors by name
 */
record TensorShapes(Path path, String what, Map<String, TensorEntry> entries) {
    private static final int MOST = 1 << 24;

    boolean has(String name) {
        return entries.containsKey(name);
    }

    /** A tensor's shape, which must have so many dimensions. */
    long[] of(String name, int dimensions) {
        TensorEntry entry = entries.get(name);
        if (entry == null || entry.shape().length != dimensions) {
            throw refused(
                    entry == null
                            ? "it has no '" + name + "'"
                            : "'" + name + "' has shape " + Arrays.toString(entry.shape()) + ", expected " + dimensions
                                    + " dimensions");
        }
        return entry.shape();
    }

    /** A number of something as such shapes tell it. */
    int size(long value, String name) {
        if (value < 1 || value > MOST) {
            throw refused(name + " is " + value);
        }
        return (int) value;
    }

    /** How many there are of something, each of which has a tensor of that name, where {@code %d} stands for its number from 0 on. */
    int count(String name) {
        int count = 0;
        while (has(name.replace("%d", String.valueOf(count)))) {
            count++;
        }
        return count;
    }

    /** A spec; what its record refuses is told with the file's name. */
    <S> S build(Supplier<S> spec) {
        try {
            return spec.get();
        } catch (IllegalArgumentException e) {
            throw refused("its shapes do not make a network: " + e.getMessage());
        } catch (RetortException e) {
            throw e.kind() == Kind.CHECKPOINT ? e : refused("its shapes do not make a network: " + e.getMessage());
        }
    }

    RetortException refused(String why) {
        return new RetortException(Kind.CHECKPOINT, path + " cannot be read as " + what + ": " + why);
    }
}
