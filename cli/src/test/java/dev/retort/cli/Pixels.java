package dev.retort.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** What a picture shows: files of the same pixels say different things of the models that drew them. */
final class Pixels {
    private Pixels() {}

    /** The colours, row by row. */
    static int[] of(Path file) throws IOException {
        BufferedImage image = ImageIO.read(file.toFile());
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }
}
