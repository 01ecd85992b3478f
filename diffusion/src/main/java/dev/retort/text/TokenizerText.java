package dev.retort.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A tokenizer as text, as exported files hold it: a line {@code length}; one {@code specials} with the ids of start, end, unknown and pad; one
 * {@code added}; one {@code merges} with two ids for each; then {@code tokens}, and every token by its id, one a line, empty where an id has none.
 */
public final class TokenizerText {
    private static final List<String> HEADS = List.of("length", "specials", "added", "merges", "tokens");

    private final String[] lines;
    private final Map<String, Integer> ids = new LinkedHashMap<>();

    private TokenizerText(String text) {
        lines = text.split("\n", -1);
        if (lines.length <= HEADS.size()) {
            throw new IllegalArgumentException("it has " + lines.length + " lines, expected those that begin with "
                    + HEADS + " and a token in each of the others");
        }
        for (int i = HEADS.size(); i < lines.length; i++) {
            if (!lines[i].isEmpty()) {
                ids.put(lines[i], i - HEADS.size());
            }
        }
    }

    /**
     * The text.
     *
     * @throws IllegalArgumentException where a token has a line break in it
     */
    public static String of(ClipTokenizer tokenizer) {
        Map<String, Integer> ids = tokenizer.tokens();
        String[] tokens = new String[tokenizer.vocabulary()];
        Arrays.fill(tokens, "");
        ids.forEach((token, id) -> {
            if (token.indexOf('\n') >= 0) {
                throw new IllegalArgumentException("token " + id + " has a line break, expected one line");
            }
            tokens[id] = token;
        });
        List<String> merged = new ArrayList<>();
        for (Merge merge : tokenizer.merges()) {
            merged.add(merge.left());
            merged.add(merge.right());
        }
        return "length " + tokenizer.length() + "\n"
                + line("specials", tokenizer.specials().all(), ids)
                + line("added", new ArrayList<>(tokenizer.added()), ids)
                + line("merges", merged, ids)
                + "tokens\n"
                + String.join("\n", tokens);
    }

    private static String line(String head, List<String> tokens, Map<String, Integer> ids) {
        StringBuilder line = new StringBuilder(head);
        for (String token : tokens) {
            line.append(' ').append(ids.get(token));
        }
        return line.append('\n').toString();
    }

    /**
     * Reads.
     *
     * @throws IllegalArgumentException saying what is wrong with the text
     */
    public static ClipTokenizer parse(String text) {
        return new TokenizerText(text).tokenizer();
    }

    private ClipTokenizer tokenizer() {
        List<Integer> length = numbers(0);
        List<String> specials = tokens(1);
        if (length.size() != 1 || specials.size() != 4) {
            throw new IllegalArgumentException("it has the lengths " + length + " and the specials " + specials
                    + ", expected one length and four tokens");
        }
        Set<String> added = new LinkedHashSet<>(tokens(2));
        List<String> merged = tokens(3);
        numbers(4);
        List<Merge> merges = new ArrayList<>();
        for (int i = 0; i + 1 < merged.size(); i += 2) {
            Merge merge = new Merge(merged.get(i), merged.get(i + 1));
            if (!ids.containsKey(merge.joined())) {
                throw new IllegalArgumentException(
                        "merge " + i / 2 + " makes '" + merge.joined() + "', which is no token");
            }
            merges.add(merge);
        }
        return new ClipTokenizer(
                ids,
                merges,
                new ClipTokenizer.Specials(specials.get(0), specials.get(1), specials.get(2), specials.get(3)),
                added,
                length.get(0));
    }

    private List<String> tokens(int line) {
        List<String> tokens = new ArrayList<>();
        for (int id : numbers(line)) {
            String token = id < 0 || id >= lines.length - HEADS.size() ? "" : lines[HEADS.size() + id];
            if (token.isEmpty()) {
                throw new IllegalArgumentException(HEADS.get(line) + " has " + id + ", which is no token's id");
            }
            tokens.add(token);
        }
        return tokens;
    }

    private List<Integer> numbers(int line) {
        String[] words = lines[line].split(" ");
        if (!words[0].equals(HEADS.get(line))) {
            throw new IllegalArgumentException(
                    "line " + (line + 1) + " begins with '" + words[0] + "', expected " + HEADS.get(line));
        }
        List<Integer> numbers = new ArrayList<>();
        for (int i = 1; i < words.length; i++) {
            numbers.add(Integer.parseInt(words[i]));
        }
        return numbers;
    }
}
