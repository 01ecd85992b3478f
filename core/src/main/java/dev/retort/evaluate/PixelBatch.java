package dev.retort.evaluate;

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
