package dev.retort.io;

/** The middle of a picture, at another size. */
public final class CentreCrop {
    private CentreCrop() {}

    /**
     * The square that DiT and ADM train on: halves the picture with the box filter while its shorter side is at least twice {@code size}, brings
     * the shorter side to {@code size} with the bicubic filter, and cuts the middle.
     */
    public static PixelImage square(PixelImage image, int size) {
        return of(image, size, size);
    }

    /** The same of any shape: as much of the picture as its middle can hold in that shape. */
    public static PixelImage of(PixelImage image, int rows, int columns) {
        PixelImage small = image;
        while (small.height() >= 2 * rows && small.width() >= 2 * columns) {
            small = Resize.bytes(small, small.height() / 2, small.width() / 2, ResizeFilter.BOX);
        }
        double scale = Math.max((double) rows / small.height(), (double) columns / small.width());
        int height = (int) Math.rint(small.height() * scale); // halves to even, as Python rounds
        int width = (int) Math.rint(small.width() * scale);
        PixelImage exact = Resize.bytes(small, height, width, ResizeFilter.BICUBIC);
        return exact.crop((height - rows) / 2, (width - columns) / 2, rows, columns);
    }
}
