package dev.retort.error;

import java.util.List;

/** Lists in the sentences of errors, which stay readable however many entries there are. */
public final class FirstFew {
    private FirstFew() {}

    /** The first {@code most}, and how many follow: {@code a, b, c and 4 more}. */
    public static String of(List<String> all, int most) {
        String first = String.join(", ", all.subList(0, Math.min(most, all.size())));
        return all.size() > most ? first + " and " + (all.size() - most) + " more" : first;
    }
}
