package dev.retort.config;

import dev.retort.diffusion.EditDistance;
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
                .filter(candidate -> EditDistance.of(lower, candidate.toLowerCase(Locale.ROOT)) <= allowed)
                .filter(candidate -> EditDistance.of(lower, candidate.toLowerCase(Locale.ROOT)) < candidate.length())
                .min(Comparator.comparingInt(candidate -> EditDistance.of(lower, candidate.toLowerCase(Locale.ROOT))));
    }

    /** The end of an error sentence: {@code "; did you mean 'depth'? Known: depth, width"}. */
    public static String among(String word, Collection<String> known) {
        String list = "Known: " + (known.isEmpty() ? "none" : String.join(", ", known));
        return nearest(word, known)
                .map(near -> "; did you mean '" + near + "'? " + list)
                .orElse(". " + list);
    }
}
