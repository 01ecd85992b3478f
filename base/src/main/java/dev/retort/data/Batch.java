package dev.retort.data;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.error.RetortException;
import java.util.ArrayList;
import java.util.List;

/**
 * Pictures that go through the network together.
 *
 * @param pixels {@code count * channels * height * width} values, picture by picture, NCHW; those of pixels in [-1, 1]
 * @param prompts what each picture shows: its class, and one of its captions where the source has any
 * @param count number of pictures
 * @param channels colour channels, or those of a latent
 * @param height rows
 * @param width columns
 * @param firstImage position of the first picture on the clock of images seen; the others follow one by one
 * @param paired the same pictures at another size; null where nobody wants them
 */
public record Batch(
        float[] pixels,
        Prompts prompts,
        int count,
        int channels,
        int height,
        int width,
        long firstImage,
        Batch paired) {
    private static final int MOST_ATTEMPTS = 100;

    public Batch {
        if (pixels.length != count * channels * height * width || prompts.size() != count) {
            throw new IllegalArgumentException("a batch of " + count + " x " + channels + " x " + height + " x " + width
                    + " has " + pixels.length + " pixels and " + prompts.size() + " prompts");
        }
    }

    /** Pictures at one size alone. */
    public Batch(float[] pixels, Prompts prompts, int count, int channels, int height, int width, long firstImage) {
        this(pixels, prompts, count, channels, height, width, firstImage, null);
    }

    /** A black batch as a source gives them, to try what fits into memory. */
    public static Batch blank(ImageSource source, int count) {
        return of(
                source,
                new float[count * source.pixels()],
                Prompts.named(new int[count], List.of("")),
                0,
                source.paired().map(other -> blank(other, count)).orElse(null));
    }

    /**
     * Pictures of a source as they are, never mirrored, drawn with repetition; in place of a damaged one another is drawn.
     *
     * @param seed which ones
     * @throws RetortException of kind DATA where nearly all are damaged
     */
    public static Batch drawn(ImageSource source, int count, long seed) {
        ImageSource other = source.paired().orElse(null);
        float[] pixels = new float[count * source.pixels()];
        float[] pairedPixels = new float[other == null ? 0 : count * other.pixels()];
        int bound = (int) Math.min(source.size(), Integer.MAX_VALUE);
        List<Note> notes = new ArrayList<>();
        for (int attempt = 0; notes.size() < count; ) {
            int place = notes.size();
            long index = Rng.at(seed, Purpose.EVALUATE, place, attempt).nextInt(bound);
            try {
                if (other != null) {
                    other.read(index, pairedPixels, place * other.pixels());
                }
                notes.add(source.read(index, pixels, place * source.pixels()));
                attempt = 0;
            } catch (RetortException e) {
                if (++attempt == MOST_ATTEMPTS) {
                    throw e;
                }
            }
        }
        Prompts prompts = Prompts.of(notes);
        return of(source, pixels, prompts, 0, other == null ? null : of(other, pairedPixels, prompts, 0, null));
    }

    static Batch of(ImageSource source, float[] pixels, Prompts prompts, long firstImage, Batch paired) {
        return new Batch(
                pixels,
                prompts,
                prompts.size(),
                source.channels(),
                source.height(),
                source.width(),
                firstImage,
                paired);
    }
}
