package dev.retort.evaluate;

import dev.retort.card.ImageShape;
import dev.retort.data.DamagedPictures;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Real images with their classes. They are read again whenever they are asked for, quantised to bytes, and not kept.
 *
 * @param source where they are read
 * @param indices index of each in the source
 * @param labels class of each
 * @param hashes SHA-256 of each image's bytes, one behind the other
 * @param leftOut a sentence for each damaged picture that is not among them
 */
public record ImageSet(ImageSource source, int[] indices, int[] labels, byte[] hashes, List<String> leftOut)
        implements ImageStream {
    private static final long SEED = 0;
    private static final int HASH = 32;

    /** The first {@code most} images of a source, or all where it holds fewer. */
    public static ImageSet read(ImageSource source, int most) {
        return read(source, IntStream.range(0, count(source, most)).toArray());
    }

    /**
     * {@code most} images from the whole of a source, or all where it holds fewer, always the same ones in the same
     * shuffled order: archives and folders list class after class, so their beginning is one class.
     */
    public static ImageSet subset(ImageSource source, int most) {
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
        DamagedPictures damaged = new DamagedPictures(source);
        MessageDigest digest = FeatureCache.sha256();
        int[] indices = new int[chosen.length];
        int[] labels = new int[chosen.length];
        byte[] hashes = new byte[chosen.length * HASH];
        float[] values = new float[source.pixels()];
        byte[] bytes = new byte[values.length];
        int count = 0;
        for (int index : chosen) {
            try {
                labels[count] = source.read(index, values, 0).label();
            } catch (RetortException e) {
                damaged.leaveOut(index, e);
                continue;
            }
            PixelBatch.quantise(values, 0, bytes, 0, bytes.length);
            System.arraycopy(digest.digest(bytes), 0, hashes, count * HASH, HASH);
            indices[count++] = index;
        }
        return new ImageSet(source, indices, labels, hashes, damaged.news()).part(0, count);
    }

    /** The images from {@code first} on, {@code count} of them. */
    ImageSet part(int first, int count) {
        return new ImageSet(
                source,
                Arrays.copyOfRange(indices, first, first + count),
                Arrays.copyOfRange(labels, first, first + count),
                Arrays.copyOfRange(hashes, first * HASH, (first + count) * HASH),
                leftOut);
    }

    @Override
    public void forEachBatch(Consumer<PixelBatch> sink) {
        for (int first = 0; first < size(); first += BATCH) {
            sink.accept(pixels(
                    IntStream.range(first, Math.min(first + BATCH, size())).toArray()));
        }
    }

    /** The images at these places of the set. */
    PixelBatch pixels(int... places) {
        int size = shape().values();
        float[] values = new float[size];
        byte[] bytes = new byte[Math.multiplyExact(places.length, size)];
        for (int i = 0; i < places.length; i++) {
            source.read(indices[places[i]], values, 0);
            PixelBatch.quantise(values, 0, bytes, i * size, size);
        }
        return new PixelBatch(bytes, places.length, source.channels(), source.height(), source.width());
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
                    name() + " gives " + size() + " real images for the " + part + ", too few for " + features
                            + " features: a distance would tell how few they are, not how good the pictures are; give more"
                            + " than " + features + ", or more than twice as many where there is no test split");
        }
    }

    /** Name of the source: {@code fashion-mnist/test}. */
    public String name() {
        return source.name();
    }

    /** What each label means. */
    public List<String> classNames() {
        return source.classNames();
    }

    /** Shape of an image. */
    public ImageShape shape() {
        return new ImageShape(source.channels(), source.height(), source.width());
    }

    /** Number of images. */
    public int size() {
        return labels.length;
    }
}
