package dev.retort.layout;

import java.util.List;

/**
 * What the weights of a checkpoint do not say, where the reader knows it.
 *
 * @param heads attention heads; 0 where the file or the network's size tells
 * @param classes number of classes without the null class; 0 where the file tells, or all rows of the label table but the
 *     last
 * @param side height and width of what the network works on, which is what its position table tells; 0 where the file has
 *     the table, or says how large the pictures were
 * @param family the process it was trained with, such as {@link DitFamily}; null where the file tells
 * @param allowed names, or their starts followed by {@code *}, that may be unexpected and are left out, or missing and are
 *     taken for zeros
 */
public record Hints(int heads, int classes, int side, DitFamily family, List<String> allowed) {
    /** Nothing is known beside the file. */
    public static final Hints NONE = new Hints(0, 0, 0, null, List.of());

    /** Validates. */
    public Hints {
        requireNotNegative("heads", heads);
        requireNotNegative("classes", classes);
        requireNotNegative("side", side);
    }

    private static void requireNotNegative(String name, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + " is " + value + ", expected at least 0");
        }
    }
}
