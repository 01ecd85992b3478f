package dev.retort.layout;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.error.RetortException;
import dev.retort.io.TensorFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a program's files name and cut the parameters of one architecture: every key of a file is some rows of one parameter.
 * By this one map weights are rewritten from file to file, and read into a network.
 *
 * @param <S> what the networks are
 */
public interface WeightLayout<S extends NetworkSpec> {
    /**
     * A key of a file.
     *
     * @param key its name there
     * @param parameter the parameter of the network it belongs to
     * @param firstRow where in the parameter it begins, in rows of the first dimension
     * @param shape its shape, whose first entry is the number of rows
     */
    record Part(String key, String parameter, long firstRow, long[] shape) {
        /** A key that holds a whole parameter. */
        public static Part whole(String key, String parameter, long[] shape) {
            return new Part(key, parameter, 0, shape);
        }
    }

    /** What users call it, in lower case. */
    String id();

    /** Whether it is a folder of files, not one file. */
    boolean isFolder();

    /** Whether its program has such a network. */
    default boolean has(S spec) {
        return true;
    }

    /** Every key of a file in this layout, in its order. Of parts of the same rows all must hold the same values. */
    List<Part> parts(S spec);

    /** Every key and its shape. */
    default Map<String, long[]> shapes(S spec) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        parts(spec).forEach(part -> shapes.put(part.key(), part.shape()));
        return shapes;
    }

    /** Whether a configuration beside weights says that they are a network of this architecture, however damaged they may be. */
    boolean claims(Path path);

    /**
     * Opens what another program wrote, in this layout or another one of the same architecture.
     *
     * @throws RetortException of kind CHECKPOINT, naming the file and what is wrong with it: unreadable, another network, or
     *     names that are missing, unexpected or of another shape
     */
    Checkpoint open(Path path, Hints hints);

    /** Refuses, before long work, a place that {@link #write} would not replace: one that holds more than it writes. */
    void requireReplaceable(Path to);

    /**
     * Writes a network, exactly as its program expects it: keys, shapes, types and what stands beside them. What was there is
     * replaced.
     *
     * @param parameters the network's parameters under their own names
     * @return in what the program will compute otherwise than we do, a sentence each
     * @throws RetortException of kind USAGE where a value is beyond the range of the type, of kind CHECKPOINT where the
     *     program has no such network
     */
    List<String> write(Path to, ModelCard card, TensorFile parameters, Storage how);
}
