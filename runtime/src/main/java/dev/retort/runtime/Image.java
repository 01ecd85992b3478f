package dev.retort.runtime;

/**
 * A picture.
 *
 * @param width columns
 * @param height rows
 * @param channels 1 for grey, 3 for RGB
 * @param bytes {@code height * width * channels} unsigned bytes, row by row, the channels of a pixel together
 */
public record Image(int width, int height, int channels, byte[] bytes) {
    /** Validates. */
    public Image {
        if (channels != 1 && channels != 3 || width < 1 || height < 1 || bytes.length != width * height * channels) {
            throw new IllegalArgumentException("a picture of " + width + " x " + height + " with " + channels
                    + " channels and " + bytes.length
                    + " bytes; expected 1 or 3 channels and a byte for each value");
        }
    }

    /** Values in [-1, 1], channel by channel from {@code offset} on, each as the nearest of 256 levels; values beyond are clamped. */
    static Image of(float[] values, int offset, Shape shape) {
        int plane = shape.height() * shape.width();
        byte[] bytes = new byte[shape.values()];
        for (int i = 0; i < bytes.length; i++) {
            float value = values[offset + i % shape.channels() * plane + i / shape.channels()];
            bytes[i] = (byte) Math.round(Math.max(0, Math.min(255, (value + 1) * 127.5f)));
        }
        return new Image(shape.width(), shape.height(), shape.channels(), bytes);
    }

    /** The bytes of a PNG file. */
    public byte[] png() {
        return Png.encode(this);
    }

    /** A number for each pixel, row by row: opaque, as {@code BufferedImage} and Android's {@code Bitmap} take them. */
    public int[] toArgb() {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            int at = i * channels;
            int red = bytes[at] & 0xff;
            int green = channels == 1 ? red : bytes[at + 1] & 0xff;
            int blue = channels == 1 ? red : bytes[at + 2] & 0xff;
            argb[i] = 0xff << 24 | red << 16 | green << 8 | blue;
        }
        return argb;
    }
}
