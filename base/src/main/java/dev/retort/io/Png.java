package dev.retort.io;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;

/** Pictures as 8-bit grey or RGB PNG files. */
public final class Png {
    private Png() {}

    /** The bytes of a PNG file. */
    public static byte[] encode(PixelImage image) {
        boolean grey = image.channels() == 1;
        BufferedImage buffered = new BufferedImage(
                image.width(), image.height(), grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
        byte[] target = ((DataBufferByte) buffered.getRaster().getDataBuffer()).getData();
        byte[] pixels = image.pixels();
        for (int i = 0; i < target.length; i++) {
            target[i] = grey ? pixels[i] : pixels[i - i % 3 + 2 - i % 3];
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(buffered, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** Writes a PNG file with texts by keyword, whole or not at all. */
    public static void write(Path path, PixelImage image, Map<String, String> texts) {
        AtomicWrite.bytes(path, PngText.with(encode(image), texts));
    }

    /** Writes a PNG file, whole or not at all. */
    public static void write(Path path, PixelImage image) {
        AtomicWrite.bytes(path, encode(image));
    }
}
