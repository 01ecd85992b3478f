package dev.retort.text;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/** Spells words by a vocabulary of byte pairs (Sennrich et al. 2016): letters first, then the merges in the order of their list. */
final class BytePairs {
    /** What the last token of a word ends with. */
    static final String END = "</w>";

    /** Words whose spelling is kept; captions repeat few words often. */
    private static final int MOST_KEPT = 1 << 16;

    /** Letters of a word whose spelling is kept: what strangers send a service must not fill its memory. */
    private static final int LONGEST_KEPT = 64;

    private record Step(int rank, int joined) {}

    private final Map<String, Integer> vocabulary;
    private final int unknown;
    private final Map<Long, Step> steps = new HashMap<>();
    private final Map<String, int[]> kept = new ConcurrentHashMap<>();

    /** @param unknown id of letters that the vocabulary lacks */
    BytePairs(Map<String, Integer> vocabulary, List<Merge> merges, int unknown) {
        this.vocabulary = vocabulary;
        this.unknown = unknown;
        for (int i = 0; i < merges.size(); i++) {
            Merge merge = merges.get(i);
            long pair = pair(vocabulary.get(merge.left()), vocabulary.get(merge.right()));
            steps.putIfAbsent(pair, new Step(i, vocabulary.get(merge.joined())));
        }
    }

    private static long pair(int left, int right) {
        return (long) left << Integer.SIZE | right;
    }

    /** The ids of a word; do not write into the array. */
    int[] ids(String word) {
        int[] known = kept.get(word);
        if (known != null) {
            return known;
        }
        int[] ids = spell(word);
        if (kept.size() < MOST_KEPT && word.length() <= LONGEST_KEPT) {
            kept.put(word, ids);
        }
        return ids;
    }

    private int[] spell(String word) {
        Spelling spelling = new Spelling(letters(word));
        for (int i = 0; i < spelling.ids.length; i++) {
            spelling.open(i);
        }
        while (!spelling.open.isEmpty()) {
            spelling.merge(spelling.open.poll());
        }
        return IntStream.of(spelling.ids).filter(id -> id != Spelling.MERGED).toArray();
    }

    /** Tokens of a word while it is spelled: a list linked both ways, and the merges that are possible in it, the first on top. */
    private final class Spelling {
        /** In the place of a token that became part of the one before it. */
        static final int MERGED = -1;

        final int[] ids;
        final int[] after;
        final int[] before;
        /** Rank, then place, in one number each; those that another merge made impossible are still among them. */
        final PriorityQueue<Long> open = new PriorityQueue<>();

        Spelling(int[] letters) {
            ids = letters;
            after = IntStream.rangeClosed(1, letters.length).toArray();
            before = IntStream.range(-1, letters.length - 1).toArray();
        }

        private Step step(int at) {
            boolean pair = ids[at] != MERGED && after[at] < ids.length;
            return pair ? steps.get(pair(ids[at], ids[after[at]])) : null;
        }

        void open(int at) {
            Step step = step(at);
            if (step != null) {
                open.add((long) step.rank() << Integer.SIZE | at);
            }
        }

        void merge(long entry) {
            int at = (int) entry;
            Step step = step(at);
            if (step == null || step.rank() != entry >>> Integer.SIZE) {
                return;
            }
            int right = after[at];
            ids[at] = step.joined();
            ids[right] = MERGED;
            after[at] = after[right];
            if (after[at] < ids.length) {
                before[after[at]] = at;
            }
            open(at);
            if (before[at] >= 0) {
                open(before[at]);
            }
        }
    }

    private int[] letters(String word) {
        String letters = ByteLetters.of(word);
        int[] ids = new int[letters.length()];
        for (int i = 0; i < ids.length; i++) {
            String letter = letters.substring(i, i + 1);
            ids[i] = vocabulary.getOrDefault(i == ids.length - 1 ? letter + END : letter, unknown);
        }
        return ids;
    }
}
