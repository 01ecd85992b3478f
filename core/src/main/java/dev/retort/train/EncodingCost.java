package dev.retort.train;

import dev.retort.card.ImageShape;
import dev.retort.pipeline.ImageCodec;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.Locale;

/**
 * What a latent cache saves: the time that encoding would take for every training image.
 *
 * @param secondsPerImage median over a few batches, measured on this machine in the precision of the run
 */
record EncodingCost(double secondsPerImage) {
    private static final int BATCHES = 3;
    private static final int MOST_IMAGES = 8;
    private static final double MOST_SECONDS = 5;

    /** Encodes a few batches as training without a cache would; where that is slow, one has to do. */
    static EncodingCost measure(ImageCodec codec, int batch, Precision precision, Device device) {
        int n = Math.min(batch, MOST_IMAGES);
        double first = seconds(codec, n, precision, device);
        if (first > MOST_SECONDS) {
            return new EncodingCost(first / n);
        }
        // the first batch chose kernels and does not count
        double[] seconds = new double[BATCHES];
        Arrays.setAll(seconds, i -> seconds(codec, n, precision, device));
        Arrays.sort(seconds);
        return new EncodingCost(seconds[BATCHES / 2] / n);
    }

    /** Of one batch of grey pictures, which cost what any pictures cost. */
    private static double seconds(ImageCodec codec, int n, Precision precision, Device device) {
        ImageShape shape = codec.shape();
        try (Scope scope = Scope.open();
                Autocast autocast = Autocast.to(precision, device)) {
            long start = System.nanoTime();
            // asking for a value waits for the device
            Tensors.scalar(codec.encode(Tensors.zeros(device, n, shape.channels(), shape.height(), shape.width()))
                    .sum());
            return (System.nanoTime() - start) / 1e9;
        }
    }

    /** Images a second of a run at this speed, had it to encode each image. */
    double imagesPerSecondWithout(double imagesPerSecond) {
        return 1 / (1 / imagesPerSecond + secondsPerImage);
    }

    /** In a sentence for the person. */
    String sentence() {
        return String.format(
                Locale.ROOT,
                "latents: read from the cache; encoding in every step would take %.2f ms an image",
                1000 * secondsPerImage);
    }
}
