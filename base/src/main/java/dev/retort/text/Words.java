package dev.retort.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Cuts a text as the transformers library does for CLIP: normal form C, spaces collapsed, lower case letter by letter (so a
 * final sigma is like any other), then endings after an apostrophe, runs of letters, single digits and runs of anything else.
 */
final class Words {
    private static final Pattern SPACES = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern WORD = Pattern.compile(
            "'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^\\s\\p{L}\\p{N}]+", Pattern.UNICODE_CHARACTER_CLASS);

    private final Pattern literal;

    /** @param literals tokens that are taken out of the text whole, wherever they stand as they are written */
    Words(Collection<String> literals) {
        literal = Pattern.compile(literals.stream()
                .sorted(Comparator.comparingInt(String::length).reversed().thenComparing(Comparator.naturalOrder()))
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
    }

    /**
     * A part of a text.
     *
     * @param text what it says
     * @param whole whether it is one of the literals, which are not spelled
     */
    record Word(String text, boolean whole) {}

    List<Word> of(String text) {
        List<Word> words = new ArrayList<>();
        Matcher literals = literal.matcher(text);
        int at = 0;
        while (literals.find()) {
            spelled(text.substring(at, literals.start())).forEach(words::add);
            words.add(new Word(literals.group(), true));
            at = literals.end();
        }
        spelled(text.substring(at)).forEach(words::add);
        return words;
    }

    private static Stream<Word> spelled(String text) {
        String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
        String plain = lower(SPACES.matcher(composed).replaceAll(" "));
        return WORD.matcher(plain).results().map(found -> new Word(found.group(), false));
    }

    private static String lower(String text) {
        StringBuilder lower = new StringBuilder(text.length());
        text.codePoints()
                .forEach(point -> lower.append(Character.toString(point).toLowerCase(Locale.ROOT)));
        return lower.toString();
    }
}
