package dev.retort.cli;

import dev.retort.config.Suggestion;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which classes to draw: numbers, ranges and names, such as {@code 0-4,7,Bag}.
 *
 * @param labels class numbers in the order asked for
 */
record ClassChoice(List<Integer> labels) {
    static ClassChoice parse(String text, List<String> names) {
        List<Integer> labels = new ArrayList<>();
        for (String part : text.split(",")) {
            String word = part.strip();
            int named = indexOf(word, names);
            if (named >= 0) {
                labels.add(named);
            } else if (word.matches("\\d{1,6}(-\\d{1,6})?")) {
                String[] ends = word.split("-");
                int first = known(ends[0], word, names);
                int last = known(ends[ends.length - 1], word, names);
                if (first > last) {
                    throw new RetortException(
                            Kind.USAGE, "--classes " + word + " runs backwards; write " + last + "-" + first);
                }
                IntStream.rangeClosed(first, last).forEach(labels::add);
            } else {
                throw new RetortException(
                        Kind.USAGE,
                        "--classes " + word + " is no class of this model" + Suggestion.among(word, names) + " (or 0-"
                                + (names.size() - 1) + ")");
            }
        }
        return new ClassChoice(List.copyOf(labels));
    }

    static ClassChoice all(List<String> names) {
        return new ClassChoice(IntStream.range(0, names.size()).boxed().toList());
    }

    /** The label of each of {@code count} images: the classes in turn. */
    int[] inTurn(int count) {
        return IntStream.range(0, count).map(i -> labels.get(i % labels.size())).toArray();
    }

    private static int indexOf(String word, List<String> names) {
        return IntStream.range(0, names.size())
                .filter(i -> names.get(i).equalsIgnoreCase(word))
                .findFirst()
                .orElse(-1);
    }

    private static int known(String digits, String word, List<String> names) {
        int label = Integer.parseInt(digits);
        if (label >= names.size()) {
            throw new RetortException(
                    Kind.USAGE,
                    "--classes " + word + ": this model has classes 0 to " + (names.size() - 1) + " ("
                            + String.join(", ", names) + ")");
        }
        return label;
    }
}
