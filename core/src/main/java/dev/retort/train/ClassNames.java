package dev.retort.train;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** What labels mean: two sides that work together must agree on it, as a label is no more than a position. */
public final class ClassNames {
    private ClassNames() {}

    /** Where the names differ, a few words each: {@code class 0 was cat and is dog}. */
    public static List<String> differences(List<String> before, List<String> now) {
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < Math.max(before.size(), now.size()); i++) {
            String was = i < before.size() ? before.get(i) : "absent";
            String is = i < now.size() ? now.get(i) : "absent";
            if (!was.equals(is)) {
                differences.add("class " + i + " was " + was + " and is " + is);
            }
        }
        return differences;
    }

    /** Whether some name stands at another position: labels have moved, which no mere renaming does. */
    public static boolean moved(List<String> before, List<String> now) {
        return IntStream.range(0, now.size()).anyMatch(i -> {
            int was = before.indexOf(now.get(i));
            return was >= 0 && was != i;
        });
    }

    /** Whether the names are no more than positions, as those of a file that names no classes. */
    public static boolean unknown(List<String> names) {
        return IntStream.range(0, names.size()).allMatch(i -> names.get(i).equals(String.valueOf(i)));
    }
}
