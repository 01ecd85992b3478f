package dev.retort.text;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.TextHash;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The byte-pair tokenizer of CLIP (Radford et al. 2021, §2.4) as the transformers library computes it: {@link Words} spelled
 * by {@link BytePairs}, between the ids of start and end.
 */
public final class ClipTokenizer implements Tokenizer {
    /** Tokens of a text in every published encoder. */
    static final int LENGTH = 77;

    /** Start, a token of the text, end. */
    static final int SHORTEST = 3;

    /**
     * Tokens with a part of their own.
     *
     * @param start begins every text
     * @param end ends it
     * @param unknown stands for letters that the vocabulary lacks
     * @param pad fills what is left
     */
    record Specials(String start, String end, String unknown, String pad) {
        static final Specials CLIP = new Specials("<|startoftext|>", "<|endoftext|>", "<|endoftext|>", "<|endoftext|>");

        List<String> all() {
            return List.of(start, end, unknown, pad);
        }
    }

    private final Map<String, Integer> ids;
    private final List<BytePairs.Merge> merges;
    private final Specials specials;
    private final Set<String> added;
    private final int length;

    private final Words words;
    private final BytePairs pairs;
    private final String[] tokens;

    /**
     * Of a vocabulary.
     *
     * @param ids token to id, each id once; has every special and added token and every token of a merge
     * @param added tokens beside the specials that are not spelled
     */
    ClipTokenizer(
            Map<String, Integer> ids, List<BytePairs.Merge> merges, Specials specials, Set<String> added, int length) {
        if (length < SHORTEST) {
            throw new RetortException(
                    Kind.CONFIG,
                    "length is " + length + ", expected at least " + SHORTEST + ": start, a token of the text, end");
        }
        this.ids = Collections.unmodifiableMap(new LinkedHashMap<>(ids));
        this.merges = List.copyOf(merges);
        this.specials = specials;
        this.added = Collections.unmodifiableSet(new LinkedHashSet<>(added));
        this.length = length;
        Set<String> literals = new LinkedHashSet<>(specials.all());
        literals.addAll(added);
        words = new Words(literals);
        pairs = new BytePairs(this.ids, this.merges, ids.get(specials.unknown()));
        tokens = new String[Collections.max(ids.values()) + 1];
        ids.forEach((token, id) -> tokens[id] = token);
    }

    /**
     * Reads a folder: {@code vocab.json} and {@code merges.txt}, else {@code tokenizer.json}; and beside them, where they are
     * there, {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json}.
     *
     * @throws RetortException of kind CHECKPOINT naming the file that is missing or damaged
     */
    public static ClipTokenizer read(Path folder) {
        return ClipTokenizerFiles.read(folder);
    }

    /**
     * Makes a tokenizer for texts like these: their letters, then the pairs that stand beside each other most often, of two
     * equally frequent ones the first in the order of letters. The same texts give the same tokenizer.
     *
     * @param vocabulary most tokens; with enough of them every word of the texts becomes a token
     * @param length tokens of a text, start and end included
     * @throws RetortException of kind CONFIG where the vocabulary does not hold the letters
     */
    public static ClipTokenizer learn(Iterable<String> captions, int vocabulary, int length) {
        return new BytePairTraining(captions).tokenizer(vocabulary, length);
    }

    /**
     * Writes {@code vocab.json}, {@code merges.txt}, {@code tokenizer_config.json} and {@code special_tokens_map.json} into a
     * folder, as other programs read them.
     */
    public void write(Path folder) {
        ClipTokenizerFiles.write(this, folder);
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int vocabulary() {
        return tokens.length;
    }

    @Override
    public int end() {
        return ids.get(specials.end());
    }

    @Override
    public int[] ids(String text) {
        int[] all = spelled(text);
        int count = Math.min(all.length, room());
        int[] framed = new int[length];
        Arrays.fill(framed, ids.get(specials.pad()));
        framed[0] = ids.get(specials.start());
        System.arraycopy(all, 0, framed, 1, count);
        framed[count + 1] = end();
        return framed;
    }

    @Override
    public String cut(String text) {
        int[] all = spelled(text);
        StringBuilder letters = new StringBuilder();
        StringBuilder cut = new StringBuilder();
        for (int i = room(); i < all.length; i++) {
            String token = tokens[all[i]];
            boolean last = token.endsWith(BytePairs.END) || specials.all().contains(token) || added.contains(token);
            letters.append(
                    token.endsWith(BytePairs.END)
                            ? token.substring(0, token.length() - BytePairs.END.length())
                            : token);
            if (last) {
                cut.append(ByteLetters.text(letters.toString())).append(' ');
                letters.setLength(0);
            }
        }
        return cut.toString().strip();
    }

    /** Tokens of a text that fit between start and end. */
    private int room() {
        return length - 2;
    }

    private int[] spelled(String text) {
        List<int[]> spelled = new ArrayList<>();
        for (Words.Word word : words.of(text)) {
            spelled.add(word.whole() ? new int[] {ids.get(word.text())} : pairs.ids(word.text()));
        }
        return spelled.stream().flatMapToInt(Arrays::stream).toArray();
    }

    Map<String, Integer> tokens() {
        return ids;
    }

    List<BytePairs.Merge> merges() {
        return merges;
    }

    Specials specials() {
        return specials;
    }

    Set<String> added() {
        return added;
    }

    /** Hash of what decides which ids a text gets, in hex: equal tokenizers have one. */
    public String sha256() {
        List<String> parts = new ArrayList<>(specials.all());
        parts.add(Integer.toString(length));
        added.stream().sorted().forEach(parts::add);
        merges.forEach(merge -> parts.add(merge.left() + " " + merge.right()));
        for (int id = 0; id < tokens.length; id++) {
            parts.add(id + " " + tokens[id]);
        }
        return TextHash.sha256(parts);
    }

    /** Whether both give every text the same ids by the same tokens. */
    @Override
    public boolean equals(Object other) {
        return other instanceof ClipTokenizer that
                && length == that.length
                && specials.equals(that.specials)
                && added.equals(that.added)
                && merges.equals(that.merges)
                && ids.equals(that.ids);
    }

    @Override
    public int hashCode() {
        return Objects.hash(length, specials, merges.size(), ids.size());
    }
}
