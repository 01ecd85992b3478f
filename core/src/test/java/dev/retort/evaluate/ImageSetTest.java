package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.data.ImageSource;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageSetTest {
    /** 1000 pictures of one pixel, class after class as archives list them; the pixel tells the class too. */
    private static final ImageSource SORTED = new ImageSource() {
        @Override
        public String name() {
            return "sorted";
        }

        @Override
        public int channels() {
            return 1;
        }

        @Override
        public int height() {
            return 1;
        }

        @Override
        public int width() {
            return 1;
        }

        @Override
        public List<String> classNames() {
            return List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
        }

        @Override
        public long size() {
            return 1000;
        }

        @Override
        public int read(long index, float[] out, int offset) {
            int label = (int) (index / 100);
            out[offset] = (label - 5) / 5f;
            return label;
        }
    };

    @Test
    void some_images_of_a_sorted_archive_are_of_all_its_classes() {
        ImageSet some = ImageSet.draw(SORTED, 200);
        for (int first = 0; first < 200; first += 100) {
            assertThat(Arrays.stream(some.labels(), first, first + 100).distinct())
                    .hasSize(10);
        }
        assertThat(ImageSet.draw(SORTED, 200).labels()).isEqualTo(some.labels());
    }

    @Test
    void pixels_stay_with_their_labels_and_all_images_are_there_once() {
        ImageSet all = ImageSet.draw(SORTED, 5000);
        assertThat(all.size()).isEqualTo(1000);
        int[] counts = new int[10];
        for (int i = 0; i < 1000; i++) {
            counts[all.labels()[i]]++;
            assertThat(all.pixels().pixels()[i] & 0xff)
                    .isCloseTo(
                            (int) (127.5 * (1 + (all.labels()[i] - 5) / 5.0)), org.assertj.core.data.Offset.offset(1));
        }
        assertThat(counts).containsOnly(100);
    }
}
