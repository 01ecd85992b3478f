package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.io.ImageGrid;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

class ShapeReaderTest {
    private static final int PICTURES = 1000;

    @Test
    void drawn_pictures_are_read_right() {
        for (String split : CaptionedShapes.SPLITS) {
            assertThat(right(24, split, PICTURES, pixels -> pixels)).isGreaterThanOrEqualTo(0.995);
            assertThat(right(32, split, PICTURES / 4, pixels -> pixels)).isGreaterThanOrEqualTo(0.995);
            assertThat(right(48, split, PICTURES / 8, pixels -> pixels)).isGreaterThanOrEqualTo(0.995);
            assertThat(right(64, split, PICTURES / 8, pixels -> pixels)).isGreaterThanOrEqualTo(0.995);
        }
    }

    @Test
    void blur_and_noise_are_borne() {
        assertThat(right(24, "test", PICTURES, pixels -> blurred(pixels, 24))).isGreaterThanOrEqualTo(0.99);
        assertThat(right(24, "test", PICTURES, pixels -> noisy(pixels, 0.1))).isGreaterThanOrEqualTo(0.97);
        assertThat(right(24, "test", PICTURES, pixels -> noisy(blurred(pixels, 24), 0.1)))
                .isGreaterThanOrEqualTo(0.97);
        assertThat(right(48, "test", PICTURES / 8, pixels -> noisy(blurred(pixels, 48), 0.1)))
                .isGreaterThanOrEqualTo(0.97);
    }

    @Test
    void blank_pictures_and_noise_show_nothing() {
        int size = 24;
        ShapeReader reader = new ShapeReader(size);
        int read = 0;
        for (int i = 0; i < 200; i++) {
            Rng rng = Rng.at(3, Purpose.DATA, i, 0);
            float[] blank = new float[3 * size * size];
            for (int c = 0; c < 3; c++) {
                Arrays.fill(blank, c * size * size, (c + 1) * size * size, (float) (2 * rng.nextDouble() - 1));
            }
            float[] noise = new float[3 * size * size];
            for (int p = 0; p < noise.length; p++) {
                noise[p] = (float) (2 * rng.nextDouble() - 1);
            }
            for (float[] nothing : List.of(blank, noisy(blank, 0.1), noise)) {
                read += reader.read(nothing, 0).isPresent() ? 1 : 0;
            }
        }
        assertThat(read).isZero();
    }

    /** Figures at one place that cover each other may well make one: half and half of a red and a blue square is purple. */
    @Test
    void half_and_half_of_two_pictures_shows_nothing() {
        for (int size : new int[] {24, 32}) {
            CaptionedShapes shapes = new CaptionedShapes(size, "train");
            ShapeReader reader = new ShapeReader(size);
            float[] a = new float[shapes.pixels()];
            float[] b = new float[shapes.pixels()];
            int read = 0;
            for (int i = 0; i < PICTURES; i++) {
                shapes.read(i, a, 0);
                shapes.read(i + 1, b, 0);
                for (int p = 0; p < a.length; p++) {
                    a[p] = (a[p] + b[p]) / 2;
                }
                boolean apart = !shapes.attributes(i)
                        .place()
                        .equals(shapes.attributes(i + 1).place());
                read += apart && reader.read(a, 0).isPresent() ? 1 : 0;
            }
            assertThat(read).isZero();
        }
    }

    @Test
    @EnabledIfSystemProperty(named = "retort.look", matches = ".+")
    void sheets_to_look_at() {
        for (int size : new int[] {16, 24, 32}) {
            CaptionedShapes shapes = new CaptionedShapes(size, "train");
            float[] pixels = new float[100 * shapes.pixels()];
            for (int i = 0; i < 100; i++) {
                shapes.read(i, pixels, i * shapes.pixels());
            }
            ImageGrid.of(pixels, 100, 3, size, size, 10)
                    .write(Path.of(System.getProperty("retort.look"), "captioned-" + size + ".png"), 128 / size);
        }
    }

    /** Share of pictures all of whose attributes are read right. */
    private static double right(int size, String split, int count, UnaryOperator<float[]> spoiled) {
        CaptionedShapes shapes = new CaptionedShapes(size, split);
        ShapeReader reader = new ShapeReader(size);
        int right = 0;
        for (int i = 0; i < count; i++) {
            float[] pixels = new float[shapes.pixels()];
            shapes.read(i, pixels, 0);
            Optional<ShapeAttributes> read =
                    reader.read(spoiled.apply(pixels), 0).map(ShapeReader.Reading::attributes);
            right += read.equals(Optional.of(shapes.attributes(i))) ? 1 : 0;
        }
        return right / (double) count;
    }

    /** By 1 2 1 each way. */
    private static float[] blurred(float[] pixels, int size) {
        float[] out = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            int plane = i / (size * size) * size * size;
            int row = i % (size * size) / size;
            int column = i % size;
            for (int y = -1; y <= 1; y++) {
                for (int x = -1; x <= 1; x++) {
                    int r = Math.max(0, Math.min(size - 1, row + y));
                    int c = Math.max(0, Math.min(size - 1, column + x));
                    out[i] += (2 - Math.abs(y)) * (2 - Math.abs(x)) * pixels[plane + r * size + c] / 16;
                }
            }
        }
        return out;
    }

    private static float[] noisy(float[] pixels, double sigma) {
        Rng rng = Rng.at(9, Purpose.NOISE, Arrays.hashCode(pixels) & 0xffff, 0);
        float[] out = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            out[i] = (float) (pixels[i] + sigma * rng.nextGaussian());
        }
        return out;
    }
}
