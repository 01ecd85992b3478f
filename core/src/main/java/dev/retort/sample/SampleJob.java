package dev.retort.sample;

import dev.retort.config.Require;
import dev.retort.report.Progress;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Draws many images, a batch at a time; the batch size changes nothing in them.
 *
 * @param sampler how one batch is drawn
 * @param codec what makes pictures of its samples
 * @param seed seed of all images; image {@code i} has the address (seed, i)
 * @param batch images drawn together
 */
public record SampleJob(Sampler sampler, ImageCodec codec, long seed, int batch) {
    /** Receives the images in order. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes one batch.
         *
         * @param first index of its first image
         * @param pixels (n, C, H, W) in [-1, 1], up to the sampler's or the decoder's overshoot
         * @param n images in it
         */
        void accept(int first, float[] pixels, int n);
    }

    /** For a network of pixels. */
    public SampleJob(Sampler sampler, long seed, int batch) {
        this(sampler, ImageCodec.pixels(sampler.network().spec()), seed, batch);
    }

    /** Validates. */
    public SampleJob {
        Require.atLeast("batch", batch, 1);
    }

    /** Draws one image for each label. */
    public void draw(int[] labels, Progress progress, Sink sink) {
        progress.update(0, labels.length, "");
        for (int first = 0; first < labels.length; first += batch) {
            int n = Math.min(batch, labels.length - first);
            float[] pixels;
            try (Scope scope = Scope.open()) {
                long[] indices = LongStream.range(first, first + n).toArray();
                pixels = Tensors.floats(
                        codec.decode(sampler.draw(Arrays.copyOfRange(labels, first, first + n), seed, indices)));
            }
            sink.accept(first, pixels, n);
            progress.update(first + n, labels.length, "");
        }
    }
}
