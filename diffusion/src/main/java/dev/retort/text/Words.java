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

/**
 * Cuts a text as the transformers library does for CLIP: normal form C, spaces collapsed, lower case letter by letter (so a
 * final sigma is like any other), then endings after an apostrophe, runs of letters, single digits and runs of anything else.
 */
final class Words {
    /** White space of Unicode, spelled out: what \s means differs from one library of regular expressions to another. */
    private static final String SPACE =
            "\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

    private static final Pattern SPACES = Pattern.compile("[" + SPACE + "]+");
    private static final Pattern WORD =
            Pattern.compile("'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^" + SPACE + "\\p{L}\\p{N}]+");

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
            spelled(text.substring(at, literals.start()), words);
            words.add(new Word(literals.group(), true));
            at = literals.end();
        }
        spelled(text.substring(at), words);
        return words;
    }

    private static void spelled(String text, List<Word> into) {
        String composed = Normalizer.normalize(text, Normalizer.Form.NFC);
        Matcher word = WORD.matcher(lower(SPACES.matcher(composed).replaceAll(" ")));
        while (word.find()) {
            into.add(new Word(word.group(), false));
        }
    }

    private static String lower(String text) {
        StringBuilder lower = new StringBuilder(text.length());
        text.codePoints().forEach(point -> lower.append(new String(Character.toChars(point)).toLowerCase(Locale.ROOT)));
        return lower.toString();
    }
}
