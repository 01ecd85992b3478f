package dev.retort.data;

/**
 * Pictures that go through the network together.
 *
 * @param pixels {@code count * channels * height * width} values, picture by picture, NCHW; those of pixels in [-1, 1]
 * @param labels class of each picture
 * @param count number of pictures
 * @param channels colour channels, or those of a latent
 * @param height rows
 * @param width columns
 * @param firstImage position of the first picture on the clock of images seen; the others follow one by one
 */
public record Batch(float[] pixels, int[] labels, int count, int channels, int height, int width, long firstImage) {
    public Batch {
        if (pixels.length != count * channels * height * width || labels.length != count) {
            throw new IllegalArgumentException("a batch of " + count + " x " + channels + " x " + height + " x " + width
                    + " has " + pixels.length + " pixels and " + labels.length + " labels");
        }
    }
}
