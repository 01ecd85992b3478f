package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
        ImageSet some = ImageSet.subset(SORTED, 200);
        for (int first = 0; first < 200; first += 100) {
            assertThat(Arrays.stream(some.labels(), first, first + 100).distinct())
                    .hasSize(10);
        }
        assertThat(ImageSet.subset(SORTED, 200).labels()).isEqualTo(some.labels());
    }

    @Test
    void few_damaged_images_are_left_out_and_told_and_many_are_refused() {
        ImageSet images = ImageSet.subset(new Sorted(Set.of(3L, 999L)), 1000);
        assertThat(images.size()).isEqualTo(998);
        assertThat(images.leftOut())
                .containsExactlyInAnyOrder("left out: picture 3 is damaged", "left out: picture 999 is damaged");
        byte[] pixels = pixels(images);
        for (int i = 0; i < 998; i++) {
            assertThat(pixels[i] & 0xff).isCloseTo((int) (127.5 * (1 + (images.labels()[i] - 5) / 5.0)), offset(1));
        }
        Set<Long> many = LongStream.range(0, 20).boxed().collect(Collectors.toSet());
        assertThatThrownBy(() -> ImageSet.read(new Sorted(many), 1000))
                .hasMessageContaining("11 damaged pictures in sorted");
    }

    @Test
    void pixels_stay_with_their_labels_and_all_images_are_there_once() {
        ImageSet all = ImageSet.subset(SORTED, 5000);
        assertThat(all.size()).isEqualTo(1000);
        byte[] pixels = pixels(all);
        int[] counts = new int[10];
        for (int i = 0; i < 1000; i++) {
            counts[all.labels()[i]]++;
            assertThat(pixels[i] & 0xff).isCloseTo((int) (127.5 * (1 + (all.labels()[i] - 5) / 5.0)), offset(1));
        }
        assertThat(counts).containsOnly(100);
    }

    /** One pixel of each, as the batches bring them. */
    private static byte[] pixels(ImageSet images) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        images.forEachBatch(batch -> all.writeBytes(batch.pixels()));
        assertThat(all.size()).isEqualTo(images.size());
        return all.toByteArray();
    }

    @Test
    void a_set_with_more_pixels_than_an_array_can_hold_is_read_batch_by_batch() {
        int many = 700_000;
        PixelSource source = new PixelSource(many, 3, 32, 32, (picture, pixel) -> {
            if (picture == 300) {
                throw new RetortException(Kind.INTERRUPTED, "enough of picture 300");
            }
            return (int) (picture + pixel) % 256;
        });
        assertThat((long) many * source.pixels()).isGreaterThan(Integer.MAX_VALUE);
        assertThatThrownBy(() -> ImageSet.read(source, many)).hasMessage("enough of picture 300");

        int[] all = IntStream.range(0, many).toArray();
        ImageSet images = new ImageSet(source, all, new int[many], new byte[0], List.of());
        List<PixelBatch> seen = new ArrayList<>();
        assertThatThrownBy(() -> images.forEachBatch(seen::add)).hasMessage("enough of picture 300");
        assertThat(seen).hasSize(1);
        assertThat(seen.get(0).count()).isEqualTo(250);
        PixelBatch last = images.pixels(0, many - 1);
        assertThat(last.pixels()[0]).isEqualTo((byte) 0);
        assertThat(last.pixels()[3072]).isEqualTo((byte) ((many - 1) % 256));
    }

    @Test
    void no_pixels_are_kept_and_what_is_read_again_is_the_same() {
        AtomicInteger read = new AtomicInteger();
        ImageSet images = ImageSet.subset(
                new PixelSource(600, 1, 1, 2, (picture, pixel) -> {
                    read.incrementAndGet();
                    return (int) picture % 200 + pixel;
                }),
                520);
        assertThat(read).hasValue(2 * 520);
        List<Integer> counts = new ArrayList<>();
        images.forEachBatch(batch -> {
            for (int i = 0; i < batch.count(); i++) {
                int index = images.indices()[counts.size() * 250 + i];
                assertThat(batch.pixels()[2 * i] & 0xff).isEqualTo(index % 200);
                assertThat(batch.pixels()[2 * i + 1] & 0xff).isEqualTo(index % 200 + 1);
            }
            counts.add(batch.count());
        });
        assertThat(counts).containsExactly(250, 250, 20);
        assertThat(read).hasValue(4 * 520);
    }
}
