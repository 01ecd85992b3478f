package dev.retort.runtime;

import dev.retort.text.ClipTokenizer;
import dev.retort.text.TokenizerText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * How a student is told texts.
 *
 * @param tokenizers one for each text encoder; none of a student that is told no texts
 * @param examples some texts of the kind that it was trained on
 */
record Texts(List<ClipTokenizer> tokenizers, List<String> examples) {
    private static final String KEY = "retort.tokenizer.";

    Texts {
        tokenizers = List.copyOf(tokenizers);
        examples = List.copyOf(examples);
    }

    /** From a file's metadata. */
    static Texts parse(Map<String, String> metadata) {
        List<ClipTokenizer> tokenizers = new ArrayList<>();
        for (int i = 0; metadata.containsKey(KEY + i); i++) {
            try {
                tokenizers.add(TokenizerText.parse(metadata.get(KEY + i)));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(KEY + i + ": " + e.getMessage(), e);
            }
        }
        String examples = metadata.getOrDefault("retort.prompts", "");
        return new Texts(tokenizers, examples.isEmpty() ? List.of() : Arrays.asList(examples.split("\n")));
    }

    /** Whether the student is told texts. */
    boolean taken() {
        return !tokenizers.isEmpty();
    }

    /** What the network is told of a text. */
    Subject subject(String text) {
        long[] tokens = tokenizers.stream()
                .flatMapToInt(one -> Arrays.stream(one.ids(text)))
                .asLongStream()
                .toArray();
        return Subject.of(tokens);
    }

    /** The part of a text that no encoder, or not every one, is told; empty where all fits. */
    String cut(String text) {
        String most = "";
        for (ClipTokenizer tokenizer : tokenizers) {
            String cut = tokenizer.cut(text);
            most = cut.length() > most.length() ? cut : most;
        }
        return most;
    }
}
