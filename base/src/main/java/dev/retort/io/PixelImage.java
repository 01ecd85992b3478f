package dev.retort.io;

/**
 * A decoded picture.
 *
 * @param channels 1 for grey, 3 for RGB
 * @param height rows
 * @param width columns
 * @param pixels {@code height * width * channels} unsigned bytes, row by row, the channels of a pixel together (HWC)
 */
public record PixelImage(int channels, int height, int width, byte[] pixels) {
    public PixelImage {
        if (channels != 1 && channels != 3 || height < 1 || width < 1 || pixels.length != channels * height * width) {
            throw new IllegalArgumentException("a picture of " + channels + " x " + height + " x " + width + " with "
                    + pixels.length + " bytes, expected 1 or 3 channels and one byte for each value");
        }
    }

    /**
     * Values in [-1, 1], channel by channel (CHW) from {@code offset} on, each as the nearest of the 256 levels; values
     * beyond are clamped.
     */
    public static PixelImage of(float[] values, int offset, int channels, int height, int width) {
        int plane = height * width;
        byte[] pixels = new byte[channels * plane];
        for (int i = 0; i < pixels.length; i++) {
            float value = values[offset + i % channels * plane + i / channels];
            pixels[i] = (byte) Math.round(Math.max(0, Math.min(255, (value + 1) * 127.5f)));
        }
        return new PixelImage(channels, height, width, pixels);
    }

    /** One value, 0 to 255. */
    public int at(int row, int column, int channel) {
        return pixels[(row * width + column) * channels + channel] & 0xff;
    }

    /** The part that starts at {@code top}, {@code left}. */
    public PixelImage crop(int top, int left, int rows, int columns) {
        byte[] part = new byte[rows * columns * channels];
        for (int row = 0; row < rows; row++) {
            int from = ((top + row) * width + left) * channels;
            System.arraycopy(pixels, from, part, row * columns * channels, columns * channels);
        }
        return new PixelImage(channels, rows, columns, part);
    }

    /** Every pixel drawn {@code times} by {@code times}. */
    public PixelImage enlarged(int times) {
        if (times == 1) {
            return this;
        }
        byte[] large = new byte[pixels.length * times * times];
        int row = width * times * channels;
        for (int i = 0; i < large.length; i++) {
            int y = i / row / times;
            int x = i % row / channels / times;
            large[i] = pixels[(y * width + x) * channels + i % channels];
        }
        return new PixelImage(channels, height * times, width * times, large);
    }

    /** Grey repeated into three channels; RGB as it is. */
    public PixelImage rgb() {
        if (channels == 3) {
            return this;
        }
        byte[] tripled = new byte[pixels.length * 3];
        for (int i = 0; i < tripled.length; i++) {
            tripled[i] = pixels[i / 3];
        }
        return new PixelImage(3, height, width, tripled);
    }

    /** RGB weighted into one channel as ITU-R 601 has it, in 16-bit fixed point; grey as it is. */
    public PixelImage grey() {
        if (channels == 1) {
            return this;
        }
        byte[] grey = new byte[pixels.length / 3];
        for (int i = 0; i < grey.length; i++) {
            int red = pixels[3 * i] & 0xff;
            int green = pixels[3 * i + 1] & 0xff;
            int blue = pixels[3 * i + 2] & 0xff;
            grey[i] = (byte) (19595 * red + 38470 * green + 7471 * blue + 0x8000 >> 16);
        }
        return new PixelImage(1, height, width, grey);
    }

    /** Puts the values {@code v / 127.5 - 1} channel by channel (CHW) into {@code out} from {@code offset} on. */
    public void toFloats(float[] out, int offset) {
        int plane = height * width;
        for (int channel = 0; channel < channels; channel++) {
            for (int i = 0; i < plane; i++) {
                out[offset + channel * plane + i] = (pixels[i * channels + channel] & 0xff) / 127.5f - 1;
            }
        }
    }
}
