package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A model's images, quantised to bytes, drawn as they are asked for.
 *
 * @param job how they are drawn
 * @param samples what is kept of them
 * @param progress is told how many are drawn
 */
record SampleStream(SampleJob job, SampleSet samples, Progress progress) implements ImageStream {
    /** Batches do not depend on how many images are drawn together. */
    @Override
    public void forEachBatch(Consumer<PixelBatch> sink) {
        ImageShape shape = job.codec().shape();
        int size = shape.values();
        byte[] waiting = new byte[Math.multiplyExact(Math.min(BATCH, samples.size()), size)];
        job.sample(samples.prompts(), progress, (first, pixels, count) -> {
            samples.show(first, pixels, count);
            for (int i = 0; i < count; i++) {
                int place = (first + i) % BATCH;
                PixelBatch.quantise(pixels, i * size, waiting, place * size, size);
                if (place == BATCH - 1 || first + i == samples.size() - 1) {
                    byte[] batch = Arrays.copyOf(waiting, (place + 1) * size);
                    sink.accept(new PixelBatch(batch, place + 1, shape.channels(), shape.height(), shape.width()));
                }
            }
        });
    }
}
