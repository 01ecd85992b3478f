package dev.retort.data;

/**
 * What is known of a picture beside its pixels.
 *
 * @param label its class
 * @param caption what is written about it; empty where nothing is
 */
public record Note(int label, String caption) {
    /** A picture that nothing is written about. */
    public Note(int label) {
        this(label, "");
    }
}
