package dev.retort.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGridTest {
    @TempDir
    Path folder;

    @Test
    void pictures_lie_row_by_row_with_white_between_and_values_are_rounded_and_clamped() {
        float[] three = new float[3 * 3 * 2 * 2];
        Arrays.fill(three, -1);
        three[0] = 2; // red of the first picture's first pixel, beyond the range
        three[12 + 4 + 3] = 0; // green of the second picture's last pixel
        three[24 + 8] = -5; // blue of the third's first, beyond the range
        Path file = folder.resolve("grid.png");
        ImageGrid.of(three, 3, 3, 2, 2, 2).write(file, 1);
        PixelImage image = ImageDecoder.read(file);
        assertThat(new int[] {image.height(), image.width()}).containsExactly(6, 6);
        assertThat(image.at(0, 0, 0)).isEqualTo(255);
        assertThat(image.at(0, 0, 1)).isZero();
        assertThat(image.at(1, 5, 1)).isEqualTo(128);
        assertThat(image.at(4, 0, 2)).isZero();
        assertThat(image.at(0, 2, 0)).as("gap").isEqualTo(255);
        assertThat(image.at(5, 5, 2)).as("empty place").isEqualTo(255);
    }

    @Test
    void grey_levels_survive_writing_and_reading_and_small_pictures_can_be_drawn_larger() {
        float[] levels = new float[256];
        for (int i = 0; i < 256; i++) {
            levels[i] = i / 127.5f - 1;
        }
        Path file = folder.resolve("grey.png");
        new ImageGrid(1, 1, 1, 16, 16, 2).set(0, levels, 0).write(file, 3);
        PixelImage image = ImageDecoder.read(file);
        assertThat(new int[] {image.channels(), image.height(), image.width()}).containsExactly(1, 48, 48);
        for (int i = 0; i < 256; i++) {
            assertThat(image.at(3 * (i / 16) + 1, 3 * (i % 16) + 2, 0)).isEqualTo(i);
        }
    }

    @Test
    void impossible_grids_are_refused() {
        assertThatThrownBy(() -> new ImageGrid(4, 2, 2, 8, 8, 1)).hasMessageContaining("1 or 3 channels");
        assertThatThrownBy(() -> new ImageGrid(4, 2, 3, 8, 8, 1).set(0, new PixelImage(1, 8, 8, new byte[64])))
                .hasMessageContaining("a picture of 1x8x8 in a grid of 3x8x8");
    }
}
