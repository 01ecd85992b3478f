package dev.retort.card;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.text.ClipTokenizer;
import dev.retort.tokenizer.TokenizerFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How a model is told texts. The card's file holds the example texts; the tokenizers, one for each text encoder, lie beside it as other programs
 * keep them, in {@code tokenizer}, {@code tokenizer_2} and so on.
 */
public final class TextCard {
    private static final String FOLDER = "tokenizer";

    private final List<String> prompts;
    private final List<ClipTokenizer> tokenizers;

    /**
     * Of texts and tokenizers.
     *
     * @param prompts some texts of the kind that it was trained on; none where nobody knows any
     * @param tokenizers in the order of the text encoders
     */
    public TextCard(List<String> prompts, List<ClipTokenizer> tokenizers) {
        this.prompts = List.copyOf(prompts);
        this.tokenizers = List.copyOf(tokenizers);
    }

    /** As a card's file says it: the tokenizers are {@link #read} afterwards. */
    @JsonCreator
    static TextCard of(@JsonProperty("prompts") List<String> prompts) {
        Require.that(prompts != null, "text.prompts", "null", "a list of texts");
        return new TextCard(prompts, List.of());
    }

    /** Some texts of the kind that the model was trained on; none where nobody knows any. */
    @JsonProperty
    public List<String> prompts() {
        return prompts;
    }

    /** In the order of the text encoders. */
    public List<ClipTokenizer> tokenizers() {
        return tokenizers;
    }

    /** The same with its tokenizers, which lie in a model's folder. */
    public TextCard read(Path folder, int encoders) {
        List<ClipTokenizer> read = new ArrayList<>();
        for (int i = 0; i < encoders; i++) {
            read.add(TokenizerFolder.read(folder.resolve(name(i))));
        }
        return new TextCard(prompts, read);
    }

    /** Writes the tokenizers into a model's folder. */
    public void write(Path folder) {
        for (int i = 0; i < tokenizers.size(); i++) {
            TokenizerFolder.write(tokenizers.get(i), folder.resolve(name(i)));
        }
    }

    /** Name of the folder of a tokenizer. */
    private static String name(int encoder) {
        return encoder == 0 ? FOLDER : FOLDER + "_" + (encoder + 1);
    }

    /**
     * Refuses tokenizers that are not for these encoders.
     *
     * @throws RetortException of kind CHECKPOINT naming what differs
     */
    public void requireFit(List<ClipTextSpec> encoders) {
        if (tokenizers.size() != encoders.size()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "the model has " + encoders.size() + " text encoders and " + tokenizers.size()
                            + " tokenizers, expected one for each; give a whole folder of a model");
        }
        for (int i = 0; i < encoders.size(); i++) {
            encoders.get(i).requireFits(tokenizers.get(i));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TextCard that && prompts.equals(that.prompts) && tokenizers.equals(that.tokenizers);
    }

    @Override
    public int hashCode() {
        return 31 * prompts.hashCode() + tokenizers.hashCode();
    }
}
