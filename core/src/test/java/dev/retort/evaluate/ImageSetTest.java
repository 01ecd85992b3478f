package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ImageSetTest {
    /** 1000 pictures of one pixel, class after class as archives list them; the pixel tells the class too. */
    private static final ImageSource SORTED = new Sorted(Set.of());

    private record Sorted(Set<Long> damaged) implements ImageSource {
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
        public Note read(long index, float[] out, int offset) {
            if (damaged.contains(index)) {
                throw new RetortException(Kind.DATA, "picture " + index + " is damaged");
            }
            int label = (int) (index / 100);
            out[offset] = (label - 5) / 5f;
            return new Note(label);
        }
    }

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
    void few_damaged_images_are_left_out_and_told_and_many_are_refused() {
        ImageSet images = ImageSet.draw(new Sorted(Set.of(3L, 999L)), 1000);
        assertThat(images.size()).isEqualTo(998);
        assertThat(images.pixels().count()).isEqualTo(998);
        assertThat(images.leftOut())
                .containsExactlyInAnyOrder("left out: picture 3 is damaged", "left out: picture 999 is damaged");
        for (int i = 0; i < 998; i++) {
            assertThat(images.pixels().pixels()[i] & 0xff)
                    .isCloseTo((int) (127.5 * (1 + (images.labels()[i] - 5) / 5.0)), offset(1));
        }
        Set<Long> many = LongStream.range(0, 20).boxed().collect(Collectors.toSet());
        assertThatThrownBy(() -> ImageSet.read(new Sorted(many), 1000))
                .hasMessageContaining("11 damaged pictures in sorted");
    }

    @Test
    void pixels_stay_with_their_labels_and_all_images_are_there_once() {
        ImageSet all = ImageSet.draw(SORTED, 5000);
        assertThat(all.size()).isEqualTo(1000);
        int[] counts = new int[10];
        for (int i = 0; i < 1000; i++) {
            counts[all.labels()[i]]++;
            assertThat(all.pixels().pixels()[i] & 0xff)
                    .isCloseTo((int) (127.5 * (1 + (all.labels()[i] - 5) / 5.0)), offset(1));
        }
        assertThat(counts).containsOnly(100);
    }
}
