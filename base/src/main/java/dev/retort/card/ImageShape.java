package dev.retort.card;

/**
 * The shape of a picture.
 *
 * @param channels 1 for grey, 3 for RGB
 * @param height rows
 * @param width columns
 */
public record ImageShape(int channels, int height, int width) {
    /** Values of one picture. */
    public int values() {
        return channels * height * width;
    }

    /** In the words of an error: {@code 3x64x64}. */
    @Override
    public String toString() {
        return channels + "x" + height + "x" + width;
    }
}
