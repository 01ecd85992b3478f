package dev.retort.card;

import dev.retort.error.FirstFew;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the words and numbers of a user mean among the classes of a model.
 *
 * <p>A name may be a list of synonyms, as those of ImageNet are ({@code tench, Tinca tinca}): each of them means the class,
 * too. A number that is a name means the class of that name. Where all names are numbers, as the folders {@code 0},
 * {@code 1}, {@code 10}, {@code 2} are, numbers are names and nothing else; where not, they are positions from 0 on.
 *
 * @param names what each label means
 */
record ClassLookup(List<String> names) {
    private static final int MOST_SHOWN = 10;

    private boolean numeric() {
        return names.stream().allMatch(ClassLookup::isNumber);
    }

    private static boolean isNumber(String name) {
        return name.matches("\\d{1,9}");
    }

    /** The classes of a name: those called exactly so, else those but for upper case, else those with such a synonym. */
    List<Integer> named(String word) {
        String plain = plain(word);
        return Stream.<Predicate<String>>of(
                        name -> plain(name).equals(plain),
                        name -> plain(name).equalsIgnoreCase(plain),
                        name -> synonyms(name).anyMatch(plain::equalsIgnoreCase))
                .map(this::where)
                .filter(found -> !found.isEmpty())
                .findFirst()
                .orElse(List.of());
    }

    /** The class that a number means; empty where there is none. */
    OptionalInt numbered(int number) {
        List<Integer> found = numeric()
                ? where(name -> Integer.parseInt(name) == number)
                : number < names.size() ? List.of(number) : List.of();
        return found.stream().mapToInt(Integer::intValue).findFirst();
    }

    /** The classes that the numbers from {@code first} to {@code last} mean, smallest number first. */
    List<Integer> between(int first, int last) {
        if (!numeric()) {
            return IntStream.rangeClosed(first, last).boxed().toList();
        }
        return where(name -> Integer.parseInt(name) >= first && Integer.parseInt(name) <= last).stream()
                .sorted(Comparator.comparingInt(label -> Integer.parseInt(names.get(label))))
                .toList();
    }

    /** A number of a range that would mean one class as a name and another as a position; empty where none does. */
    Optional<String> ambiguous(int first, int last) {
        return numeric()
                ? Optional.empty()
                : IntStream.range(0, names.size())
                        .filter(label -> isNumber(names.get(label)))
                        .filter(label -> {
                            int number = Integer.parseInt(names.get(label));
                            return number >= first && number <= last && number != label;
                        })
                        .mapToObj(names::get)
                        .findFirst();
    }

    /** Everything that may be said for a class. */
    List<String> spoken() {
        return Stream.concat(names.stream(), names.stream().flatMap(ClassLookup::synonyms))
                .toList();
    }

    /** The classes for a sentence: {@code classes 0 to 2 (circle, square, star)}. */
    String described() {
        return numeric()
                ? "the classes " + FirstFew.of(names, MOST_SHOWN)
                : "classes 0 to " + (names.size() - 1) + " (" + FirstFew.of(names, MOST_SHOWN) + ")";
    }

    private List<Integer> where(Predicate<String> name) {
        return IntStream.range(0, names.size())
                .filter(label -> name.test(names.get(label)))
                .boxed()
                .toList();
    }

    private static Stream<String> synonyms(String name) {
        return Arrays.stream(name.split(",")).map(String::strip).filter(synonym -> !synonym.isEmpty());
    }

    /** Without the blanks around commas, which shells and people add and lose. */
    private static String plain(String name) {
        return name.strip().replaceAll("\\s*,\\s*", ",");
    }
}
