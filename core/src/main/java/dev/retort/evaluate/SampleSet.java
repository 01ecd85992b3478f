package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.model.Denoiser;
import dev.retort.pipeline.ImageCodec;
import dev.retort.report.Progress;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampling;
import dev.retort.torch.Precision;

/**
 * Images of a model, quantised to bytes, the classes in turn. Image {@code i} depends on seed and {@code i} alone: two
 * models' images at the same place come from the same noise and class.
 *
 * @param pixels the images
 * @param labels class that was asked for
 */
public record SampleSet(PixelBatch pixels, int[] labels) {
    /** Draws {@code n} images, {@code batch} at a time. */
    public static SampleSet draw(
            Denoiser network,
            ModelCard card,
            ImageCodec codec,
            SamplingSpec sampling,
            Precision precision,
            int n,
            long seed,
            int batch,
            Progress progress) {
        int classes = card.classes().size();
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = i % classes;
        }
        ImageShape shape = codec.shape();
        int size = shape.values();
        byte[] bytes = PixelBatch.room(n, size);
        new SampleJob(Sampling.sampler(network, card, sampling, precision), codec, seed, batch)
                .sample(new Prompts.Labels(labels), progress, (first, pixels, count) -> {
                    byte[] some = PixelBatch.quantise(pixels, count, shape.channels(), shape.height(), shape.width())
                            .pixels();
                    System.arraycopy(some, 0, bytes, first * size, some.length);
                });
        return new SampleSet(new PixelBatch(bytes, n, shape.channels(), shape.height(), shape.width()), labels);
    }

    /** Number of images. */
    public int size() {
        return labels.length;
    }
}
