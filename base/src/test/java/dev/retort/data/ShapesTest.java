package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.io.ImageGrid;
import dev.retort.io.PixelImage;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

class ShapesTest {
    @Test
    void a_picture_depends_on_seed_and_index_only() {
        float[] first = picture(new Shapes(32, 7), 12345);
        assertThat(picture(new Shapes(32, 7), 12345)).isEqualTo(first);
        assertThat(picture(new Shapes(32, 8), 12345)).isNotEqualTo(first);
        assertThat(picture(new Shapes(32, 7), 12346)).isNotEqualTo(first);
    }

    /** Checkpoints and results rest on these pictures: a change of the drawing must be a decision. */
    @Test
    void the_first_pictures_are_what_they_always_were() {
        CRC32 sum = new CRC32();
        for (int i = 0; i < 20; i++) {
            sum.update(
                    PixelImage.of(picture(new Shapes(32, 1), i), 0, 3, 32, 32).pixels());
        }
        assertThat(sum.getValue()).isEqualTo(4_144_151_791L);
    }

    @Test
    void every_class_and_colour_comes_equally_often_and_the_label_is_the_shape() {
        Shapes shapes = new Shapes(16, 1);
        int[] kinds = new int[shapes.classNames().size()];
        int[] colours = new int[ShapesCondition.COLOURS.size()];
        for (int i = 0; i < 4000; i++) {
            kinds[shapes.condition(i).shape()]++;
            colours[shapes.condition(i).colour()]++;
        }
        assertThat(Arrays.stream(kinds).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(330, 470));
        assertThat(Arrays.stream(colours).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(430, 570));
        float[] out = new float[shapes.pixels()];
        assertThat(shapes.read(5, out, 0).label()).isEqualTo(shapes.condition(5).shape());
    }

    @Test
    void values_lie_in_minus_one_to_one_and_the_shape_stands_out_from_its_background() {
        for (int size : new int[] {16, 32, 64}) {
            Shapes shapes = new Shapes(size, 3);
            for (int i = 0; i < 300; i++) {
                float[] out = picture(shapes, i);
                float low = 1;
                float high = -1;
                float widest = 0;
                for (int channel = 0; channel < 3; channel++) {
                    float[] plane = Arrays.copyOfRange(out, channel * size * size, (channel + 1) * size * size);
                    Arrays.sort(plane);
                    low = Math.min(low, plane[0]);
                    high = Math.max(high, plane[plane.length - 1]);
                    widest = Math.max(widest, plane[plane.length - 1] - plane[0]);
                }
                assertThat(low).isGreaterThanOrEqualTo(-1);
                assertThat(high).isLessThanOrEqualTo(1);
                assertThat(widest).as("contrast of picture " + i).isGreaterThan(0.7f);
            }
        }
    }

    @Test
    void a_shape_is_drawn_where_its_condition_says() {
        Shapes shapes = new Shapes(32, 0);
        float[] out = new float[shapes.pixels()];
        shapes.render(new ShapesCondition(0, 0, -0.5, 0.5, 0.4, 0), 0, out, 0);
        int inside = 24 * 32 + 8;
        int outside = 8 * 32 + 24;
        assertThat(out[inside] - out[32 * 32 + inside])
                .as("red minus green inside")
                .isGreaterThan(1);
        assertThat(Math.abs(out[outside] - out[32 * 32 + outside])).isLessThan(0.5f);
    }

    @Test
    void sizes_beyond_16_to_64_are_refused() {
        assertThatThrownBy(() -> new Shapes(8, 0)).hasMessageContaining("size is 8, expected 16 to 64");
    }

    @Test
    @EnabledIfSystemProperty(named = "retort.look", matches = ".+")
    void sheets_to_look_at() {
        for (int size : new int[] {16, 32, 64}) {
            Shapes shapes = new Shapes(size, 11);
            float[] pixels = new float[100 * shapes.pixels()];
            for (int i = 0; i < 100; i++) {
                shapes.read(i, pixels, i * shapes.pixels());
            }
            ImageGrid.of(pixels, 100, 3, size, size, 10)
                    .write(Path.of(System.getProperty("retort.look"), "shapes-" + size + ".png"), 128 / size);
        }
    }

    private static float[] picture(Shapes shapes, long index) {
        float[] out = new float[shapes.pixels()];
        shapes.read(index, out, 0);
        return out;
    }
}
