package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.io.PixelImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void a_png_is_read_by_java_as_the_same_pixels(int channels) throws IOException {
        Image image = random(channels, 9, 13);
        BufferedImage read = ImageIO.read(new ByteArrayInputStream(image.png()));
        assertThat(read.getRaster().getNumBands()).isEqualTo(channels);
        int[] pixels = read.getRaster().getPixels(0, 0, 13, 9, (int[]) null);
        for (int i = 0; i < pixels.length; i++) {
            assertThat(pixels[i]).isEqualTo(image.bytes()[i] & 0xff);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void values_are_rounded_to_levels_as_the_toolkit_rounds_them(int channels) {
        float[] values = new float[5 + channels * 16];
        Random random = new Random(3);
        for (int i = 0; i < values.length; i++) {
            values[i] = 2.4f * random.nextFloat() - 1.2f;
        }
        values[7] = -1 + 1 / 255f; // in the middle of two levels
        assertThat(Image.of(values, 5, new Shape(channels, 2, 8)).bytes())
                .isEqualTo(PixelImage.of(values, 5, channels, 2, 8).pixels());
    }

    @Test
    void a_pixel_is_an_opaque_number() {
        assertThat(new Image(1, 1, 3, new byte[] {(byte) 200, 1, 2}).toArgb()).containsExactly(0xffc80102);
        assertThat(new Image(2, 1, 1, new byte[] {0, (byte) 255}).toArgb()).containsExactly(0xff000000, 0xffffffff);
    }

    @Test
    void a_picture_of_too_few_bytes_is_refused() {
        assertThatThrownBy(() -> new Image(2, 2, 3, new byte[11]))
                .hasMessage(
                        "a picture of 2 x 2 with 3 channels and 11 bytes; expected 1 or 3 channels and a byte for each"
                                + " value");
    }

    private static Image random(int channels, int height, int width) {
        byte[] bytes = new byte[channels * height * width];
        new Random(1).nextBytes(bytes);
        return new Image(width, height, channels, bytes);
    }
}
