package dev.retort.io;

import com.drew.imaging.ImageMetadataReader;
import com.drew.imaging.ImageProcessingException;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifDirectoryBase;
import com.drew.metadata.exif.ExifIFD0Directory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Which way up a camera held a picture: EXIF tag 0x0112, values 1 to 8. */
final class Orientation {
    private static final int UPRIGHT = 1;

    private Orientation() {}

    /** The orientation noted in an encoded picture; 1, upright, where there is none. */
    static int of(byte[] encoded) {
        if (!mentionsExif(encoded)) {
            return UPRIGHT;
        }
        try {
            Metadata metadata = ImageMetadataReader.readMetadata(new ByteArrayInputStream(encoded), encoded.length);
            for (ExifIFD0Directory directory : metadata.getDirectoriesOfType(ExifIFD0Directory.class)) {
                Integer value = directory.getInteger(ExifDirectoryBase.TAG_ORIENTATION);
                if (value != null && value >= 1 && value <= 8) {
                    return value;
                }
            }
            return UPRIGHT;
        } catch (ImageProcessingException | IOException | RuntimeException e) {
            return UPRIGHT; // Unreadable notes do not make a readable picture unreadable.
        }
    }

    /**
     * The picture as it was seen. Values from 5 on have their sides swapped; the stored rows count from the bottom (or
     * the right side) in 3, 4, 6, 7, the columns from the right (or the bottom) in 2, 3, 7, 8.
     */
    static PixelImage upright(PixelImage image, int orientation) {
        if (orientation == UPRIGHT) {
            return image;
        }
        boolean swap = orientation >= 5;
        boolean rowReversed = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        boolean columnReversed = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        int height = swap ? image.width() : image.height();
        int width = swap ? image.height() : image.width();
        int channels = image.channels();
        byte[] out = new byte[image.pixels().length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int row = rowReversed ? image.height() - 1 - (swap ? x : y) : swap ? x : y;
                int column = columnReversed ? image.width() - 1 - (swap ? y : x) : swap ? y : x;
                System.arraycopy(
                        image.pixels(),
                        (row * image.width() + column) * channels,
                        out,
                        (y * width + x) * channels,
                        channels);
            }
        }
        return new PixelImage(channels, height, width, out);
    }

    private static boolean mentionsExif(byte[] encoded) {
        String bytes = new String(encoded, StandardCharsets.ISO_8859_1);
        return bytes.contains("Exif") || bytes.contains("eXIf") || bytes.contains("EXIF");
    }
}
