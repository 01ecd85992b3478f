package dev.retort.io;

/** The square that DiT and ADM train on. */
public final class CentreCrop {
    private CentreCrop() {}

    /**
     * Halves the picture with the box filter while its shorter side is at least twice {@code size}, brings the shorter
     * side to {@code size} with the bicubic filter, and cuts the middle.
     */
    public static PixelImage square(PixelImage image, int size) {
        PixelImage small = image;
        while (Math.min(small.height(), small.width()) >= 2 * size) {
            small = Resize.bytes(small, small.height() / 2, small.width() / 2, ResizeFilter.BOX);
        }
        double scale = (double) size / Math.min(small.height(), small.width());
        int height = (int) Math.rint(small.height() * scale); // halves to even, as Python rounds
        int width = (int) Math.rint(small.width() * scale);
        PixelImage exact = Resize.bytes(small, height, width, ResizeFilter.BICUBIC);
        return exact.crop((height - size) / 2, (width - size) / 2, size, size);
    }
}
