package dev.retort.io;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * JPEG (also CMYK), PNG (also 16-bit, palette, grey), WebP, BMP and GIF into 8-bit grey or RGB, upright as EXIF says.
 * As Pillow does for {@code convert("RGB")}: stored values are taken as they are, whatever colour profile the file has;
 * transparency is dropped; of 16 bits the upper 8 are kept, fewer than 8 are spread over 0 to 255. Of an animation it is
 * the first picture, on its canvas.
 */
public final class ImageDecoder {
    private static final long MOST_PIXELS = 1L << 28;

    private ImageDecoder() {}

    /** Reads and decodes a file; see {@link #decode}. */
    public static PixelImage read(Path path) {
        byte[] encoded;
        try {
            encoded = Files.readAllBytes(path);
        } catch (IOException e) {
            throw new RetortException(
                    Kind.DATA, "cannot read the picture " + path + " (" + e.getMessage() + "); check the path", e);
        }
        return decode(encoded, path.toString());
    }

    /**
     * Decodes a picture.
     *
     * @param encoded the bytes of the file
     * @param name what to call it in an error
     * @throws RetortException of kind DATA when it is damaged, cut off or of an unknown format
     */
    public static PixelImage decode(byte[] encoded, String name) {
        if (WebpChunks.isCut(encoded)) {
            throw refused(name, "it is cut off", null);
        }
        try {
            return Orientation.upright(
                    pixels(decodeFirst(WebpChunks.withoutNotes(JpegSegments.withoutNotes(encoded)), name)),
                    Orientation.of(encoded));
        } catch (IOException | RuntimeException e) {
            if (e instanceof RetortException known) {
                throw known;
            }
            throw refused(name, e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage(), e);
        }
    }

    private static BufferedImage decodeFirst(byte[] encoded, String name) throws IOException {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw refused(name, "it is not a JPEG, PNG, WebP, BMP or GIF", null);
            }
            ImageReader reader = readers.next();
            try {
                reader.addIIOReadWarningListener((source, warning) -> {
                    // libjpeg pads a file that is cut off with grey and only warns.
                    if (warning.contains("Truncated") || warning.contains("Premature")) {
                        throw refused(name, "it is cut off", null);
                    }
                });
                reader.setInput(in, true, true);
                FramePlace place = FramePlace.of(reader, encoded);
                long pixels = place.pixels(reader.getWidth(0), reader.getHeight(0));
                if (pixels > MOST_PIXELS) {
                    throw refused(name, pixels + " pixels are too many", null);
                }
                return place.canvas(reader.read(0));
            } finally {
                reader.dispose();
            }
        }
    }

    private static PixelImage pixels(BufferedImage image) {
        ColorModel colours = image.getColorModel();
        int space = colours.getColorSpace().getType();
        if (colours instanceof IndexColorModel || space != ColorSpace.TYPE_GRAY && space != ColorSpace.TYPE_RGB) {
            return converted(image);
        }
        Raster raster = image.getRaster();
        int channels = space == ColorSpace.TYPE_GRAY ? 1 : 3;
        int height = image.getHeight();
        int width = image.getWidth();
        byte[] out = new byte[channels * height * width];
        int[] row = new int[width];
        for (int channel = 0; channel < channels; channel++) {
            int bits = colours.getComponentSize(channel);
            for (int y = 0; y < height; y++) {
                raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, channel, row);
                for (int x = 0; x < width; x++) {
                    out[(y * width + x) * channels + channel] =
                            (byte) (bits < 8 ? row[x] * 255 / ((1 << bits) - 1) : row[x] >> bits - 8);
                }
            }
        }
        return new PixelImage(channels, height, width, out);
    }

    private static PixelImage converted(BufferedImage image) {
        int height = image.getHeight();
        int width = image.getWidth();
        int[] argb = image.getRGB(0, 0, width, height, null, 0, width);
        byte[] out = new byte[3 * argb.length];
        for (int i = 0; i < argb.length; i++) {
            out[3 * i] = (byte) (argb[i] >> 16);
            out[3 * i + 1] = (byte) (argb[i] >> 8);
            out[3 * i + 2] = (byte) argb[i];
        }
        return new PixelImage(3, height, width, out);
    }

    private static RetortException refused(String name, String why, Exception cause) {
        return new RetortException(
                Kind.DATA, "cannot decode the picture " + name + ": " + why + "; repair or remove it", cause);
    }
}
