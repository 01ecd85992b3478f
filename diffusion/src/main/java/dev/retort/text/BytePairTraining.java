package dev.retort.text;

import dev.retort.text.ClipTokenizer.Specials;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Learns byte pairs (Sennrich et al. 2016): again and again the pair of tokens that is most frequent becomes a token. */
final class BytePairTraining {
    private static final Comparator<Map.Entry<Merge, Long>> MOST_FREQUENT = Map.Entry.<Merge, Long>comparingByValue()
            .thenComparing(Map.Entry.comparingByKey(Comparator.comparing(Merge::left)
                    .thenComparing(Merge::right)
                    .reversed()));

    /** A word of the texts as it is spelled so far. */
    private static final class Spelling {
        private final long count;
        private List<String> tokens;

        Spelling(List<String> tokens, long count) {
            this.tokens = tokens;
            this.count = count;
        }
    }

    private final List<Spelling> spellings = new ArrayList<>();
    private final Set<String> letters = new TreeSet<>();
    private final Map<Merge, Long> frequency = new HashMap<>();

    BytePairTraining(Iterable<String> captions) {
        Words words = new Words(Specials.CLIP.all());
        Map<String, Long> counts = new TreeMap<>();
        for (String caption : captions) {
            for (Words.Word word : words.of(caption)) {
                if (!word.whole()) {
                    counts.merge(word.text(), 1L, Long::sum);
                }
            }
        }
        counts.forEach((word, count) -> {
            List<String> tokens =
                    new ArrayList<>(Arrays.asList(ByteLetters.of(word).split("")));
            letters.addAll(tokens);
            tokens.set(tokens.size() - 1, tokens.get(tokens.size() - 1) + BytePairs.END);
            spellings.add(new Spelling(tokens, count));
        });
        spellings.forEach(spelling -> count(spelling, 1));
    }

    /** Every letter inside a word, then every letter at its end, the tokens of the merges in their order, start and end. */
    ClipTokenizer tokenizer(int vocabulary, int length) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        letters.forEach(letter -> add(ids, letter));
        letters.forEach(letter -> add(ids, letter + BytePairs.END));
        int specials = 2;
        if (ids.size() + specials > vocabulary) {
            throw new IllegalArgumentException(
                    "vocabulary is " + vocabulary + ", expected at least " + (ids.size() + specials)
                            + ": every letter of the texts, each within a word and at its end, and start and end");
        }
        List<Merge> merges = new ArrayList<>();
        while (ids.size() + specials < vocabulary && !frequency.isEmpty()) {
            Merge next = Collections.max(frequency.entrySet(), MOST_FREQUENT).getKey();
            apply(next);
            merges.add(next);
            add(ids, next.joined()); // two merges may make the same token
        }
        add(ids, Specials.CLIP.start());
        add(ids, Specials.CLIP.end());
        return new ClipTokenizer(ids, merges, Specials.CLIP, Set.of(), length);
    }

    private static void add(Map<String, Integer> ids, String token) {
        ids.putIfAbsent(token, ids.size());
    }

    private void apply(Merge merge) {
        for (Spelling spelling : spellings) {
            List<String> merged = merged(spelling.tokens, merge);
            if (merged.size() < spelling.tokens.size()) {
                count(spelling, -1);
                spelling.tokens = merged;
                count(spelling, 1);
            }
        }
    }

    private static List<String> merged(List<String> tokens, Merge merge) {
        List<String> merged = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            boolean pair = i + 1 < tokens.size()
                    && tokens.get(i).equals(merge.left())
                    && tokens.get(i + 1).equals(merge.right());
            merged.add(pair ? merge.joined() : tokens.get(i));
            i += pair ? 1 : 0;
        }
        return merged;
    }

    /** Adds a word's pairs to the frequencies, or takes them off. */
    private void count(Spelling spelling, int sign) {
        for (int i = 0; i + 1 < spelling.tokens.size(); i++) {
            Merge pair = new Merge(spelling.tokens.get(i), spelling.tokens.get(i + 1));
            long now = frequency.merge(pair, sign * spelling.count, Long::sum);
            if (now == 0) {
                frequency.remove(pair);
            }
        }
    }
}
