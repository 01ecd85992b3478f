package dev.retort.text;

/** Makes of a text the numbers that a text encoder reads. Safe for use by several threads. */
public interface Tokenizer {
    /** Ids of a text, the frame and padding included: what the encoder reads at once. */
    int length();

    /** The number of ids there are: each is at least 0 and below it. */
    int vocabulary();

    /** The id that ends every text; an encoder pools the row at its first place. */
    int end();

    /** The ids of a text, between those of start and end, padded to {@link #length}; what does not fit is left out. */
    int[] ids(String text);

    /** The part of the text that {@link #ids} leaves out, as the vocabulary spells it; empty where all fits. */
    String cut(String text);
}
