package dev.retort.evaluate;

import dev.retort.data.ImageSource;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Real images in memory as bytes, with their classes.
 *
 * @param name {@code fashion-mnist/test}
 * @param pixels the images
 * @param labels class of each
 * @param classNames what each label means
 */
public record ImageSet(String name, PixelBatch pixels, int[] labels, List<String> classNames) {
    private static final int CHUNK = 512;
    private static final long SEED = 0;

    /**
     * Reads {@code most} images of a source, or all where it holds fewer, always the same ones. They are drawn from the whole
     * of it and stand in a shuffled order: archives and folders list class after class, so their beginning is one class.
     */
    public static ImageSet read(ImageSource source, int most) {
        int count = (int) Math.min(source.size(), most);
        int[] chosen = source.size() == ImageSource.INFINITE
                ? IntStream.range(0, count).toArray()
                : Rng.at(SEED, Purpose.SHUFFLE, 0, 0).permutation((int) source.size());
        int size = source.pixels();
        byte[] bytes = new byte[Math.multiplyExact(count, size)];
        int[] labels = new int[count];
        float[] some = new float[CHUNK * size];
        for (int first = 0; first < count; first += CHUNK) {
            int n = Math.min(CHUNK, count - first);
            for (int i = 0; i < n; i++) {
                labels[first + i] = source.read(chosen[first + i], some, i * size);
            }
            float[] these = n == CHUNK ? some : Arrays.copyOf(some, n * size);
            byte[] quantised = PixelBatch.quantise(these, n, source.channels(), source.height(), source.width())
                    .pixels();
            System.arraycopy(quantised, 0, bytes, first * size, quantised.length);
        }
        PixelBatch pixels = new PixelBatch(bytes, count, source.channels(), source.height(), source.width());
        return new ImageSet(source.name(), pixels, labels, source.classNames());
    }

    /** Number of images. */
    public int size() {
        return labels.length;
    }
}
