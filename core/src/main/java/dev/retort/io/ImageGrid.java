package dev.retort.io;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;

/** Pictures laid out in rows and columns with a white gap between them, and written as one 8-bit grey or RGB PNG. */
public final class ImageGrid {
    private final int channels;
    private final int height;
    private final int width;
    private final int columns;
    private final int gap;
    private final BufferedImage canvas;

    /**
     * An empty sheet.
     *
     * @param count places on the sheet, at least 1
     * @param columns places per row, at least 1
     * @param channels 1 for grey, 3 for RGB
     * @param height rows of each picture
     * @param width columns of each picture
     * @param gap white pixels between pictures, none at the rim
     */
    public ImageGrid(int count, int columns, int channels, int height, int width, int gap) {
        if (count < 1 || columns < 1 || height < 1 || width < 1 || gap < 0 || channels != 1 && channels != 3) {
            throw new IllegalArgumentException("a grid of " + count + " pictures in " + columns + " columns, "
                    + channels + "x" + height + "x" + width + ", gap " + gap
                    + ": expected counts of at least 1 and 1 or 3 channels");
        }
        this.channels = channels;
        this.height = height;
        this.width = width;
        this.columns = Math.min(columns, count);
        this.gap = gap;
        int rows = (count + columns - 1) / columns;
        this.canvas = new BufferedImage(
                this.columns * (width + gap) - gap,
                rows * (height + gap) - gap,
                channels == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        var raster = canvas.getRaster();
        int[] white = new int[raster.getNumBands()];
        Arrays.fill(white, 255);
        for (int y = 0; y < canvas.getHeight(); y++) {
            for (int x = 0; x < canvas.getWidth(); x++) {
                raster.setPixel(x, y, white);
            }
        }
    }

    /** Puts a picture of values in [-1, 1], CHW from {@code offset} on, at {@code place}; values beyond are clamped. */
    public ImageGrid set(int place, float[] pixels, int offset) {
        int plane = height * width;
        int left = place % columns * (width + gap);
        int top = place / columns * (height + gap);
        int[] pixel = new int[channels];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int channel = 0; channel < channels; channel++) {
                    pixel[channel] = toByte(pixels[offset + channel * plane + y * width + x]);
                }
                canvas.getRaster().setPixel(left + x, top + y, pixel);
            }
        }
        return this;
    }

    /** All pictures of a batch, {@code columns} per row, 2 pixels apart. */
    public static ImageGrid of(float[] pixels, int count, int channels, int height, int width, int columns) {
        ImageGrid grid = new ImageGrid(count, columns, channels, height, width, 2);
        for (int i = 0; i < count; i++) {
            grid.set(i, pixels, i * channels * height * width);
        }
        return grid;
    }

    /** The nearest of the 256 levels to a value in [-1, 1]. */
    public static int toByte(float value) {
        return Math.round(Math.max(0, Math.min(255, (value + 1) * 127.5f)));
    }

    /** The sheet with every pixel drawn {@code times} by {@code times}, for small pictures. */
    public BufferedImage image(int times) {
        BufferedImage large =
                new BufferedImage(canvas.getWidth() * times, canvas.getHeight() * times, canvas.getType());
        int[] pixel = new int[channels];
        for (int y = 0; y < large.getHeight(); y++) {
            for (int x = 0; x < large.getWidth(); x++) {
                large.getRaster().setPixel(x, y, canvas.getRaster().getPixel(x / times, y / times, pixel));
            }
        }
        return large;
    }

    /** The sheet as PNG bytes. */
    public byte[] png(int times) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image(times), "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** Writes the sheet as a PNG file, each pixel {@code times} by {@code times}. */
    public void write(Path path, int times) {
        AtomicWrite.bytes(path, png(times));
    }
}
