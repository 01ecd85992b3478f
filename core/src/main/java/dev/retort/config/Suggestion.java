package dev.retort.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** The known word nearest to a mistyped one, by edit distance (insert, delete, replace; each costs one). */
public final class Suggestion {
    private Suggestion() {}

    /** The nearest known word, if it is near enough to be what was meant: at most a third of the letters differ (and two are always allowed). */
    public static Optional<String> nearest(String word, Collection<String> known) {
        String lower = word.toLowerCase(Locale.ROOT);
        int allowed = Math.max(2, word.length() / 3);
        return known.stream()
                .filter(candidate -> distance(lower, candidate.toLowerCase(Locale.ROOT)) <= allowed)
                .filter(candidate -> distance(lower, candidate.toLowerCase(Locale.ROOT)) < candidate.length())
                .min(Comparator.comparingInt(candidate -> distance(lower, candidate.toLowerCase(Locale.ROOT))));
    }

    /** The end of an error sentence: {@code "; did you mean 'depth'? Known: depth, width"}. */
    public static String among(String word, Collection<String> known) {
        String list = "Known: " + (known.isEmpty() ? "none" : String.join(", ", known));
        return nearest(word, known)
                .map(near -> "; did you mean '" + near + "'? " + list)
                .orElse(". " + list);
    }

    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replace = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
