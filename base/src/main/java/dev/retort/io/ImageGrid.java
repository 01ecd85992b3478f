package dev.retort.io;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** Pictures laid out in rows and columns with white gaps between them, as one sheet. */
public final class ImageGrid {
    private final int channels;
    private final int height;
    private final int width;
    private final int columns;
    private final int gap;
    private final PixelImage sheet;

    /**
     * An empty, white sheet.
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
        int rows = (count + this.columns - 1) / this.columns;
        int sheetHeight = rows * (height + gap) - gap;
        int sheetWidth = this.columns * (width + gap) - gap;
        byte[] white = new byte[channels * sheetHeight * sheetWidth];
        Arrays.fill(white, (byte) 255);
        this.sheet = new PixelImage(channels, sheetHeight, sheetWidth, white);
    }

    /** All pictures of a batch, NCHW in [-1, 1], {@code columns} per row, 2 pixels apart. */
    public static ImageGrid of(float[] pixels, int count, int channels, int height, int width, int columns) {
        ImageGrid grid = new ImageGrid(count, columns, channels, height, width, 2);
        for (int i = 0; i < count; i++) {
            grid.set(i, pixels, i * channels * height * width);
        }
        return grid;
    }

    /** Puts a picture of values in [-1, 1], CHW from {@code offset} on, at {@code place}; values beyond are clamped. */
    public ImageGrid set(int place, float[] pixels, int offset) {
        return set(place, PixelImage.of(pixels, offset, channels, height, width));
    }

    /** Puts a picture at {@code place}, counted row by row from 0. */
    public ImageGrid set(int place, PixelImage picture) {
        if (picture.channels() != channels || picture.height() != height || picture.width() != width) {
            throw new IllegalArgumentException("a picture of " + picture.channels() + "x" + picture.height() + "x"
                    + picture.width() + " in a grid of " + channels + "x" + height + "x" + width);
        }
        int left = place % columns * (width + gap);
        int top = place / columns * (height + gap);
        for (int y = 0; y < height; y++) {
            System.arraycopy(
                    picture.pixels(),
                    y * width * channels,
                    sheet.pixels(),
                    ((top + y) * sheet.width() + left) * channels,
                    width * channels);
        }
        return this;
    }

    /** The picture at {@code place}. */
    public PixelImage picture(int place) {
        return sheet.crop(place / columns * (height + gap), place % columns * (width + gap), height, width);
    }

    /** The sheet with every pixel drawn {@code times} by {@code times}, for small pictures. */
    public PixelImage image(int times) {
        return sheet.enlarged(times);
    }

    /** The sheet as the bytes of a PNG file. */
    public byte[] png(int times) {
        return Png.encode(image(times));
    }

    /** Writes the sheet as a PNG file with texts by keyword, each pixel {@code times} by {@code times}. */
    public void write(Path path, int times, Map<String, String> texts) {
        Png.write(path, image(times), texts);
    }

    /** The same without texts. */
    public void write(Path path, int times) {
        Png.write(path, image(times));
    }
}
