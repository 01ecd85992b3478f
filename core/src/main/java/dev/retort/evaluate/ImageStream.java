package dev.retort.evaluate;

import java.util.function.Consumer;

/** Images that come batch by batch, so that no more than a batch of them need be in memory, however many there are. */
@FunctionalInterface
public interface ImageStream {
    /** Images of a batch, but for the last; how many are looked at together may show in the last digits of features. */
    int BATCH = 250;

    /** Gives all images in their order. */
    void forEachBatch(Consumer<PixelBatch> sink);
}
