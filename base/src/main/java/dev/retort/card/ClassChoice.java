package dev.retort.card;

import dev.retort.config.Suggestion;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which classes of a model are meant: numbers, ranges and names, such as {@code 0-4,7,Bag}. What a word means is for {@link ClassLookup}
 * to say, alone and in a range alike.
 *
 * @param labels class numbers in the order asked for, at least one
 */
public record ClassChoice(List<Integer> labels) {
    /**
     * Reads a list, in which names that hold commas themselves are taken whole.
     *
     * @param names what each label means
     * @throws RetortException of kind USAGE, its message beginning with {@code classes}
     */
    public static ClassChoice parse(String text, List<String> names) {
        ClassLookup classes = new ClassLookup(names);
        List<String> words =
                Arrays.stream(text.split(",", -1)).map(String::strip).toList();
        List<Integer> labels = new ArrayList<>();
        int at = 0;
        while (at < words.size()) {
            int end = words.size(); // the longest run of words that is a name: names may hold commas
            while (end > at + 1 && classes.named(joined(words, at, end)).isEmpty()) {
                end--;
            }
            labels.addAll(labels(joined(words, at, end), text, classes));
            at = end;
        }
        return new ClassChoice(List.copyOf(labels));
    }

    private static String joined(List<String> words, int from, int to) {
        return String.join(", ", words.subList(from, to));
    }

    private static List<Integer> labels(String word, String text, ClassLookup classes) {
        if (word.isEmpty()) {
            throw refused("'" + text + "' has an empty entry; write numbers, ranges and names as in 0-4,7,Bag");
        }
        List<Integer> named = classes.named(word);
        if (named.size() > 1) {
            throw refused(word + " is the name of the classes "
                    + named.stream().map(String::valueOf).collect(Collectors.joining(" and "))
                    + "; give their numbers");
        }
        if (!named.isEmpty()) {
            return named;
        }
        if (word.matches("\\d{1,9}")) {
            return List.of(numbered(word, word, classes));
        }
        return word.matches("\\d{1,9}\\s*-\\s*\\d{1,9}") ? range(word, classes) : unknown(word, classes);
    }

    private static List<Integer> range(String word, ClassLookup classes) {
        String[] ends = word.split("\\s*-\\s*");
        int first = Integer.parseInt(ends[0]);
        int last = Integer.parseInt(ends[1]);
        if (first > last) {
            throw refused(word + " runs backwards; write " + last + "-" + first);
        }
        numbered(ends[0], word, classes);
        numbered(ends[1], word, classes);
        classes.ambiguous(first, last).ifPresent(number -> {
            throw refused(word + " has two meanings, since " + number + " is the name of class "
                    + classes.named(number).get(0) + "; give the names of the classes");
        });
        return classes.between(first, last);
    }

    private static int numbered(String digits, String word, ClassLookup classes) {
        return classes.numbered(Integer.parseInt(digits))
                .orElseThrow(() -> refused(word + ": this model has " + classes.described()));
    }

    private static List<Integer> unknown(String word, ClassLookup classes) {
        throw refused(word + " is not a class of this model"
                + Suggestion.nearest(word, classes.spoken())
                        .map(near -> "; did you mean '" + near + "'? It has ")
                        .orElse("; it has ")
                + classes.described());
    }

    private static RetortException refused(String what) {
        return new RetortException(Kind.USAGE, "classes " + what);
    }

    /** The class that one word means, as in a list; empty where it means none, or several. */
    public static OptionalInt one(String word, List<String> names) {
        ClassLookup classes = new ClassLookup(names);
        List<Integer> named = classes.named(word);
        if (named.isEmpty() && word.matches("\\d{1,9}")) {
            return classes.numbered(Integer.parseInt(word));
        }
        return named.size() == 1 ? OptionalInt.of(named.get(0)) : OptionalInt.empty();
    }

    /** The label of each of {@code count} images: the classes in turn. */
    public int[] inTurn(int count) {
        return IntStream.range(0, count).map(i -> labels.get(i % labels.size())).toArray();
    }
}
