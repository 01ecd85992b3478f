package dev.retort.data;

import dev.retort.config.Require;
import java.util.List;
import java.util.Map;

/**
 * Which pictures to train or evaluate on.
 *
 * @param kind {@code shapes} (drawn by us, needs no file), {@code idx} (MNIST, Fashion-MNIST), {@code cifar10} (binary),
 *     {@code tar}, {@code folder}, {@code latents} (written by {@code retort encode}), or {@code auto}: by what lies at
 *     the path
 * @param path file or folder; empty for {@code shapes}
 * @param split {@code train}, {@code test} or {@code val}, under whichever of their names the folders have ({@code Training},
 *     {@code valid}); {@code latents} have one only
 * @param size rows and columns; 0 keeps the stored size of {@code idx}, {@code cifar10} and {@code latents} and means 32
 *     for {@code shapes}
 * @param flip whether training mirrors half of the pictures left to right
 */
public record DataSpec(String kind, String path, String split, int size, boolean flip) {
    /** The kinds by name. */
    public static final List<String> KINDS = List.of("auto", "shapes", "idx", "cifar10", "tar", "folder", "latents");

    public DataSpec {
        Require.oneOf("kind", kind, KINDS);
        Require.that(kind.equals("shapes") || !path.isBlank(), "path", "empty", "the file or folder of the pictures");
        Require.that(!split.isBlank(), "split", "empty", "train, test or another split folder");
        Require.between("size", size, 0, 4096);
    }

    /** What a configuration may leave out: all but the kind and the path, for shapes the path too. */
    public static Map<String, ?> defaults() {
        return Map.of("path", "", "split", "train", "size", 0, "flip", false);
    }

    /** The drawn shapes at a size. */
    public static DataSpec shapes(int size) {
        return new DataSpec("shapes", "", "train", size, false);
    }

    /** The same pictures at another size. */
    public DataSpec withSize(int other) {
        return new DataSpec(kind, path, split, other, flip);
    }

    /** The same pictures of another split. */
    public DataSpec withSplit(String other) {
        return new DataSpec(kind, path, other, size, flip);
    }
}
