package dev.retort.evaluate;

import dev.retort.data.DamagedPictures;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
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
 * @param leftOut a sentence for each damaged picture that is not among them
 */
public record ImageSet(String name, PixelBatch pixels, int[] labels, List<String> classNames, List<String> leftOut) {
    private static final long SEED = 0;

    /** Reads the first {@code most} images of a source, or all where it holds fewer. */
    public static ImageSet read(ImageSource source, int most) {
        return read(source, IntStream.range(0, count(source, most)).toArray());
    }

    /**
     * Draws {@code most} images from the whole of a source, or all where it holds fewer, always the same ones in the same
     * shuffled order: archives and folders list class after class, so their beginning is one class.
     */
    public static ImageSet draw(ImageSource source, int most) {
        if (source.size() == ImageSource.INFINITE) {
            return read(source, most);
        }
        int[] shuffled = Rng.at(SEED, Purpose.SHUFFLE, 0, 0).permutation((int) source.size());
        return read(source, Arrays.copyOf(shuffled, count(source, most)));
    }

    private static int count(ImageSource source, int most) {
        return (int) Math.min(source.size(), most);
    }

    /** Damaged pictures are left out, as in training, where they are few. */
    private static ImageSet read(ImageSource source, int[] chosen) {
        int size = source.pixels();
        byte[] bytes = PixelBatch.room(chosen.length, size);
        int[] labels = new int[chosen.length];
        DamagedPictures damaged = new DamagedPictures(source);
        float[] one = new float[size];
        int count = 0;
        for (int index : chosen) {
            try {
                labels[count] = source.read(index, one, 0).label();
            } catch (RetortException e) {
                damaged.leaveOut(index, e);
                continue;
            }
            byte[] quantised = PixelBatch.quantise(one, 1, source.channels(), source.height(), source.width())
                    .pixels();
            System.arraycopy(quantised, 0, bytes, count++ * size, size);
        }
        boolean all = count == chosen.length;
        PixelBatch pixels = new PixelBatch(
                all ? bytes : Arrays.copyOf(bytes, count * size),
                count,
                source.channels(),
                source.height(),
                source.width());
        return new ImageSet(
                source.name(),
                pixels,
                all ? labels : Arrays.copyOf(labels, count),
                source.classNames(),
                damaged.news());
    }

    /** The images from {@code first} on, {@code count} of them. */
    ImageSet part(int first, int count) {
        int size = pixels.channels() * pixels.height() * pixels.width();
        PixelBatch some = new PixelBatch(
                Arrays.copyOfRange(pixels.pixels(), first * size, (first + count) * size),
                count,
                pixels.channels(),
                pixels.height(),
                pixels.width());
        return new ImageSet(name, some, Arrays.copyOfRange(labels, first, first + count), classNames, leftOut);
    }

    /**
     * Refuses a set that is too small for statistics of so many features.
     *
     * @param part what the images are: {@code reference}, {@code floor}
     */
    void requireMoreThan(int features, String part) {
        if (size() <= features) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    name + " gives " + size() + " real images for the " + part + ", too few for " + features
                            + " features: a distance would tell how few they are, not how good the pictures are; give more"
                            + " than " + features + ", or more than twice as many where there is no test split");
        }
    }

    /** Number of images. */
    public int size() {
        return labels.length;
    }
}
