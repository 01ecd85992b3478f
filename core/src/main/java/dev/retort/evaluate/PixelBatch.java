package dev.retort.evaluate;

import dev.retort.error.RetortException;

/**
 * Images as every published metric sees them: quantised to bytes.
 *
 * @param pixels uint8 values, (N, C, H, W), row-major
 * @param count N
 * @param channels C: 1 for grey, 3 for RGB
 * @param height H
 * @param width W
 */
public record PixelBatch(byte[] pixels, int count, int channels, int height, int width) {
    /** Checks that the bytes are as many as the shape says. */
    public PixelBatch {
        long expected = (long) count * channels * height * width;
        if (pixels.length != expected) {
            throw new IllegalArgumentException("pixels: " + pixels.length + " bytes, expected " + expected + " for "
                    + count + "x" + channels + "x" + height + "x" + width);
        }
    }

    /**
     * Room for the bytes of many images.
     *
     * @throws RetortException of kind MEMORY where no array can hold them
     */
    static byte[] room(int count, int imageSize) {
        long bytes = (long) count * imageSize;
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new RetortException(
                            RetortException.Kind.MEMORY,
                            count + " images of " + imageSize + " values need " + bytes / (1 << 20)
                                    + " MiB in one piece, more than the 2047 there can be; judge fewer or smaller ones")
                    .about("samples");
        }
        return new byte[(int) bytes];
    }

    /** Quantises images in [-1, 1]: {@code round((x + 1) * 127.5)}, clamped to 0..255. */
    public static PixelBatch quantise(float[] images, int count, int channels, int height, int width) {
        byte[] pixels = new byte[images.length];
        for (int i = 0; i < images.length; i++) {
            pixels[i] = (byte) Math.max(0, Math.min(255, Math.round((images[i] + 1) * 127.5f)));
        }
        return new PixelBatch(pixels, count, channels, height, width);
    }

    /** Values of one image. */
    public int imageSize() {
        return channels * height * width;
    }

    /** Pixel values divided by 255, one row per image: the space in which copies of training images are looked for. */
    public FeatureMatrix unitRows() {
        int size = imageSize();
        double[][] rows = new double[count][size];
        for (int i = 0; i < pixels.length; i++) {
            rows[i / size][i % size] = (pixels[i] & 0xFF) / 255.0;
        }
        return FeatureMatrix.of(rows);
    }
}
