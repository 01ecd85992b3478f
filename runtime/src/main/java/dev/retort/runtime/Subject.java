package dev.retort.runtime;

/**
 * What a picture is to show, as its network is told.
 *
 * @param label the class; of a network that is told none nobody reads it
 * @param tokens ids of a text for each encoder, one encoder behind the other; empty where the network is told no texts
 */
record Subject(int label, long[] tokens) {
    static Subject of(int label) {
        return new Subject(label, new long[0]);
    }

    static Subject of(long[] tokens) {
        return new Subject(0, tokens);
    }
}
