package dev.retort.evaluate;

import dev.retort.report.Progress;

/** A model that is open: image {@code i} of what it draws has its noise from a seed and {@code i} alone, whatever computes it. */
interface ImageGenerator extends AutoCloseable {
    /** Images of the samples' classes, drawn as they are asked for. */
    ImageStream draw(SampleSet samples, Progress progress);

    @Override
    void close();
}
