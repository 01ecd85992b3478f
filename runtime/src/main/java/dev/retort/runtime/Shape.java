package dev.retort.runtime;

/**
 * What pictures consist of.
 *
 * @param channels 1 for grey, 3 for RGB
 * @param height rows
 * @param width columns
 */
public record Shape(int channels, int height, int width) {
    /** Numbers of one picture. */
    public int values() {
        return channels * height * width;
    }
}
