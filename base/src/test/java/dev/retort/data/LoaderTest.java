package dev.retort.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class LoaderTest {
    @Test
    void a_resumed_run_sees_what_a_run_never_stopped_sees_whatever_threads_and_prefetch() {
        Numbered source = new Numbered(50, Set.of());
        List<Batch> whole;
        try (Loader loader = new Loader(source, 8, 3, 0, true, 1, 1)) {
            whole = batches(loader, 30);
        }
        try (Loader loader = new Loader(source, 8, 3, 8 * 17, true, 4, 7)) {
            for (Batch expected : whole.subList(17, 30)) {
                Batch batch = loader.next();
                assertThat(batch.firstImage()).isEqualTo(expected.firstImage());
                assertThat(batch.prompts().labels())
                        .isEqualTo(expected.prompts().labels());
                assertThat(batch.pixels()).isEqualTo(expected.pixels());
            }
        }
    }

    @Test
    void the_stream_does_not_depend_on_the_batch_size() {
        Numbered source = new Numbered(50, Set.of());
        try (Loader small = new Loader(source, 4, 3, 0, true, 2, 3);
                Loader large = new Loader(source, 60, 3, 0, true, 2, 2)) {
            float[] joined = new float[60 * source.pixels()];
            for (int i = 0; i < 15; i++) {
                float[] part = small.next().pixels();
                System.arraycopy(part, 0, joined, i * part.length, part.length);
            }
            assertThat(large.next().pixels()).isEqualTo(joined);
        }
    }

    @Test
    void each_epoch_shows_every_picture_once_in_another_order() {
        try (Loader loader = new Loader(new Numbered(50, Set.of()), 25, 1, 0, false, 2, 3)) {
            int[] first = epoch(loader);
            int[] second = epoch(loader);
            assertThat(Arrays.stream(first).distinct().count()).isEqualTo(50);
            assertThat(Arrays.stream(second).distinct().count()).isEqualTo(50);
            assertThat(first).isNotEqualTo(second);
        }
        try (Loader loader = new Loader(new Numbered(50, Set.of()), 50, 2, 0, false, 1, 1);
                Loader other = new Loader(new Numbered(50, Set.of()), 50, 3, 0, false, 1, 1)) {
            assertThat(loader.next().prompts().labels())
                    .isNotEqualTo(other.next().prompts().labels());
        }
    }

    @Test
    void half_of_the_pictures_are_mirrored_and_only_left_to_right() {
        try (Loader loader = new Loader(new Numbered(100, Set.of()), 400, 5, 0, true, 2, 2)) {
            Batch batch = loader.next();
            int mirrored = 0;
            for (int i = 0; i < batch.count(); i++) {
                float[] picture = Arrays.copyOfRange(batch.pixels(), i * 12, i * 12 + 12);
                int n = batch.prompts().labels()[i];
                boolean turned = picture[0] == n + 2;
                mirrored += turned ? 1 : 0;
                float[] rows = turned
                        ? new float[] {2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9}
                        : new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
                for (int p = 0; p < 12; p++) {
                    assertThat(picture[p]).isEqualTo(n + rows[p]);
                }
            }
            assertThat(mirrored).isBetween(150, 250);
        }
    }

    @Test
    void a_damaged_picture_is_skipped_named_and_replaced_the_same_way_every_time() {
        Numbered source = new Numbered(200, Set.of(13L));
        List<int[]> labels = new ArrayList<>();
        for (int threads : new int[] {1, 4}) {
            try (Loader loader = new Loader(source, 40, 9, 0, false, threads, threads)) {
                int[] epochs = new int[400];
                for (int i = 0; i < 10; i++) {
                    System.arraycopy(loader.next().prompts().labels(), 0, epochs, 40 * i, 40);
                }
                labels.add(epochs);
                assertThat(loader.skipped()).containsExactly("picture 13 is damaged");
                assertThat(loader.newlySkipped()).containsExactly("left out: picture 13 is damaged");
                assertThat(loader.newlySkipped()).as("told once").isEmpty();
                assertThat(epochs).doesNotContain(13);
            }
        }
        assertThat(labels.get(0)).isEqualTo(labels.get(1));
    }

    @Test
    void too_many_damaged_pictures_stop_the_run_with_a_clear_error() {
        Set<Long> damaged = new HashSet<>(List.of(1L, 2L, 3L, 4L));
        try (Loader loader = new Loader(new Numbered(200, damaged), 200, 9, 0, false, 2, 2)) {
            assertThatThrownBy(loader::next)
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DATA))
                    .hasMessageContaining("3 damaged pictures in numbered, more than the 2 that are skipped");
        }
        try (Loader loader = new Loader(new Numbered(1, Set.of(0L)), 1, 9, 0, false, 1, 1)) {
            assertThatThrownBy(loader::next).isInstanceOf(RetortException.class);
        }
    }

    @Test
    void waiting_for_slow_data_shows_and_fast_data_does_not() throws InterruptedException {
        Numbered slow = new Numbered(50, Set.of());
        slow.pauseMillis = 5;
        try (Loader loader = new Loader(slow, 8, 1, 0, false, 1, 1)) {
            batches(loader, 5);
            assertThat(loader.waitShare()).isGreaterThan(0.7);
        }
        try (Loader loader = new Loader(new Numbered(50, Set.of()), 2, 1, 0, false, 1, 4)) {
            Thread.sleep(50);
            loader.resetWait();
            Thread.sleep(100);
            loader.next();
            assertThat(loader.waitShare()).isLessThan(0.3);
        }
    }

    @Test
    void prefetch_is_bounded_and_closing_stops_the_threads() throws InterruptedException {
        Numbered source = new Numbered(50, Set.of());
        Loader loader = new Loader(source, 10, 1, 0, false, 2, 3);
        Thread.sleep(200);
        assertThat(source.reads.get()).isEqualTo(30);
        loader.close();
        assertThatThrownBy(loader::next).isInstanceOf(IllegalStateException.class);
        Thread.sleep(100);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().startsWith("retort-data-") && !thread.isDaemon());
    }

    @Test
    void an_infinite_source_is_read_in_order() {
        try (Loader loader = new Loader(new Shapes(16, 4), 4, 1, 1000, false, 2, 2)) {
            Batch batch = loader.next();
            for (int i = 0; i < 4; i++) {
                assertThat(batch.prompts().labels()[i])
                        .isEqualTo(new Shapes(16, 4).condition(1000 + i).shape());
            }
        }
    }

    private static List<Batch> batches(Loader loader, int count) {
        List<Batch> batches = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            batches.add(loader.next());
        }
        return batches;
    }

    private static int[] epoch(Loader loader) {
        int[] labels = Arrays.copyOf(loader.next().prompts().labels(), 50);
        System.arraycopy(loader.next().prompts().labels(), 0, labels, 25, 25);
        return labels;
    }

    /** Pictures of 1x4x3 with the values n, n + 1, … and the label n. */
    @Test
    void captions_reach_the_batch_beside_the_classes() {
        Numbered source = new Numbered(5, Set.of(3L));
        source.captioned = true;
        try (Loader loader = new Loader(source, 3, 2, 0, false, 2, 2)) {
            Prompts prompts = loader.next().prompts();
            assertThat(prompts.texts())
                    .hasSize(3)
                    .isEqualTo(Arrays.stream(prompts.labels())
                            .mapToObj(n -> "picture " + n)
                            .toList());
            assertThat(prompts.slice(1, 2).texts()).isEqualTo(prompts.texts().subList(1, 3));
            assertThat(prompts.slice(1, 2).labels()).isEqualTo(Arrays.copyOfRange(prompts.labels(), 1, 3));
        }
        source.captioned = false;
        try (Loader loader = new Loader(source, 3, 2, 0, false, 2, 2)) {
            Prompts prompts = loader.next().prompts();
            assertThatThrownBy(prompts::texts).hasMessageContaining("only classes are given");
        }
    }

    private static final class Numbered implements ImageSource {
        final AtomicInteger reads = new AtomicInteger();
        int pauseMillis;
        boolean captioned;
        private final int size;
        private final Set<Long> damaged;

        Numbered(int size, Set<Long> damaged) {
            this.size = size;
            this.damaged = damaged;
        }

        @Override
        public String name() {
            return "numbered";
        }

        @Override
        public int channels() {
            return 1;
        }

        @Override
        public int height() {
            return 4;
        }

        @Override
        public int width() {
            return 3;
        }

        @Override
        public List<String> classNames() {
            return List.of();
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public Note read(long index, float[] out, int offset) {
            reads.incrementAndGet();
            if (pauseMillis > 0) {
                try {
                    Thread.sleep(pauseMillis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            if (damaged.contains(index)) {
                throw new RetortException(Kind.DATA, "picture " + index + " is damaged");
            }
            for (int i = 0; i < 12; i++) {
                out[offset + i] = index + i;
            }
            return new Note((int) index, captioned ? "picture " + index : "");
        }
    }
}
