package dev.retort.evaluate;

import java.util.Arrays;

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

    /** Quantises values in [-1, 1]: {@code round((x + 1) * 127.5)}, clamped to 0..255. */
    static void quantise(float[] values, int from, byte[] bytes, int to, int count) {
        for (int i = 0; i < count; i++) {
            bytes[to + i] = (byte) Math.max(0, Math.min(255, Math.round((values[from + i] + 1) * 127.5f)));
        }
    }

    /** Values of one image. */
    public int imageSize() {
        return channels * height * width;
    }

    /** The images' middles, half as high and half as wide, rounded up. */
    PixelBatch middle() {
        int high = (height + 1) / 2;
        int wide = (width + 1) / 2;
        byte[] cut = new byte[count * channels * high * wide];
        for (int row = 0; row < count * channels * high; row++) {
            int y = (height - high) / 2 + row % high;
            System.arraycopy(pixels, (row / high * height + y) * width + (width - wide) / 2, cut, row * wide, wide);
        }
        return new PixelBatch(cut, count, channels, high, wide);
    }

    /** Images {@code from} to {@code to}, the latter excluded. */
    PixelBatch part(int from, int to) {
        byte[] some = Arrays.copyOfRange(pixels, from * imageSize(), to * imageSize());
        return new PixelBatch(some, to - from, channels, height, width);
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
