package dev.retort.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Random;
import javax.imageio.ImageIO;

/** Small PNG files for tests. */
final class Pictures {
    private Pictures() {}

    static byte[] png(int width, int height, long seed) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(seed);
        int cell = 16;
        int[] base = new int[(width / cell + 1) * (height / cell + 1)];
        for (int i = 0; i < base.length; i++) {
            base[i] = random.nextInt(0x1000000);
        }
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                boolean disc = Math.hypot(x % cell - 7.5, y % cell - 7.5) < 5;
                image.setRGB(x, y, disc ? base[y / cell * (width / cell + 1) + x / cell] : 0x202428);
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
