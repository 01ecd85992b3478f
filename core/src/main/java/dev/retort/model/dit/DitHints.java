package dev.retort.model.dit;

import java.util.List;

/**
 * What the weights of a checkpoint do not say, where the reader knows it.
 *
 * @param heads attention heads; 0 where the file or the network's size tells
 * @param classes number of classes without the null class; 0 where the file tells, or all rows of the label table but the
 *     last
 * @param family the process it was trained with; null where the file tells
 * @param allowed names, or their starts followed by {@code *}, that may be unexpected and are left out, or missing and are
 *     taken for zeros
 */
public record DitHints(int heads, int classes, DitFamily family, List<String> allowed) {
    /** Nothing is known beside the file. */
    public static final DitHints NONE = new DitHints(0, 0, null, List.of());

    /** Validates. */
    public DitHints {
        if (heads < 0 || classes < 0) {
            throw new IllegalArgumentException(
                    (heads < 0 ? "heads is " + heads : "classes is " + classes) + ", expected at least 0");
        }
    }
}
