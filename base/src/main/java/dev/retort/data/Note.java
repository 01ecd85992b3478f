package dev.retort.data;

import dev.retort.diffusion.Rng;
import java.util.List;

/**
 * What is known of a picture beside its pixels.
 *
 * @param label its class
 * @param captions what is written about it, one or several; none where nothing is, an empty one where a network is to
 *     learn the picture without a condition
 */
public record Note(int label, List<String> captions) {
    /** Copies. */
    public Note {
        captions = List.copyOf(captions);
    }

    /** A picture that nothing is written about. */
    public Note(int label) {
        this(label, List.of());
    }

    /** A picture with one caption. */
    public Note(int label, String caption) {
        this(label, List.of(caption));
    }

    /** The first caption; empty where there is none. */
    public String caption() {
        return captions.isEmpty() ? "" : captions.get(0);
    }

    /** The same of another class. */
    public Note relabelled(int other) {
        return new Note(other, captions);
    }

    /** The same with one of its captions, each as likely as the others; what has fewer than two draws nothing. */
    Note oneCaption(Rng chance) {
        return captions.size() < 2 ? this : new Note(label, captions.get(chance.nextInt(captions.size())));
    }
}
