package dev.retort.io;

/**
 * Separable resizing that agrees with Pillow bit for bit: columns first, then rows; bytes in fixed point with 22
 * fractional bits and a rounding after each pass, floats unrounded.
 */
public final class Resize {
    private static final int FRACTION_BITS = 22;

    private Resize() {}

    /** Resizes an 8-bit picture; an axis that keeps its length is not touched. */
    public static PixelImage bytes(PixelImage image, int height, int width, ResizeFilter filter) {
        PixelImage narrowed = width == image.width() ? image : columns(image, width, filter);
        return height == image.height() ? narrowed : rows(narrowed, height, filter);
    }

    /**
     * Resizes one channel of floats (Pillow's mode F): sums in double, float after each pass, neither rounded nor
     * clipped.
     *
     * @param plane {@code height * width} values, row by row
     */
    public static float[] floats(float[] plane, int height, int width, int toHeight, int toWidth, ResizeFilter filter) {
        float[] narrowed = plane;
        if (toWidth != width) {
            ResizeFilter.Weights axis = filter.weights(width, toWidth);
            narrowed = new float[height * toWidth];
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < toWidth; x++) {
                    narrowed[y * toWidth + x] = weighted(plane, y * width + axis.first()[x], 1, axis.weights()[x]);
                }
            }
        }
        if (toHeight == height) {
            return narrowed;
        }
        ResizeFilter.Weights axis = filter.weights(height, toHeight);
        float[] resized = new float[toHeight * toWidth];
        for (int y = 0; y < toHeight; y++) {
            for (int x = 0; x < toWidth; x++) {
                resized[y * toWidth + x] =
                        weighted(narrowed, axis.first()[y] * toWidth + x, toWidth, axis.weights()[y]);
            }
        }
        return resized;
    }

    private static float weighted(float[] values, int start, int stride, double[] weights) {
        double sum = 0;
        for (int j = 0; j < weights.length; j++) {
            sum += values[start + j * stride] * weights[j];
        }
        return (float) sum;
    }

    private static PixelImage columns(PixelImage image, int width, ResizeFilter filter) {
        ResizeFilter.Weights axis = filter.weights(image.width(), width);
        int[][] weights = fixed(axis.weights());
        int channels = image.channels();
        byte[] out = new byte[image.height() * width * channels];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < width; x++) {
                int start = (y * image.width() + axis.first()[x]) * channels;
                for (int c = 0; c < channels; c++) {
                    out[(y * width + x) * channels + c] = weighted(image.pixels(), start + c, channels, weights[x]);
                }
            }
        }
        return new PixelImage(channels, image.height(), width, out);
    }

    private static PixelImage rows(PixelImage image, int height, ResizeFilter filter) {
        ResizeFilter.Weights axis = filter.weights(image.height(), height);
        int[][] weights = fixed(axis.weights());
        int stride = image.width() * image.channels();
        byte[] out = new byte[height * stride];
        for (int y = 0; y < height; y++) {
            int start = axis.first()[y] * stride;
            for (int i = 0; i < stride; i++) {
                out[y * stride + i] = weighted(image.pixels(), start + i, stride, weights[y]);
            }
        }
        return new PixelImage(image.channels(), height, image.width(), out);
    }

    private static byte weighted(byte[] values, int start, int stride, int[] weights) {
        int sum = 1 << FRACTION_BITS - 1;
        for (int j = 0; j < weights.length; j++) {
            sum += (values[start + j * stride] & 0xff) * weights[j];
        }
        return (byte) Math.max(0, Math.min(255, sum >> FRACTION_BITS));
    }

    /** Rounds half away from zero. */
    private static int[][] fixed(double[][] weights) {
        int[][] rounded = new int[weights.length][];
        for (int i = 0; i < weights.length; i++) {
            rounded[i] = new int[weights[i].length];
            for (int j = 0; j < rounded[i].length; j++) {
                double scaled = weights[i][j] * (1 << FRACTION_BITS);
                rounded[i][j] = (int) (scaled + (scaled < 0 ? -0.5 : 0.5));
            }
        }
        return rounded;
    }
}
