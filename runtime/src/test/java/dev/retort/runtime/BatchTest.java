package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import dev.retort.diffusion.Plan;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sample never depends on its batch. Trap: free dimensions, of which ONNX Runtime is shown a few sizes alone. */
class BatchTest {
    private static final int MOST = 16;

    @TempDir
    private Path folder;

    /** The values of samples 0 to 15 of a seed, drawn in batches of a size that hold fewer samples perhaps. */
    private static float[][] drawn(LoadedModel model, int size, int filled) throws OrtException {
        float[][] values = new float[MOST][];
        try (BatchSampler sampler = new BatchSampler(model, size)) {
            for (int first = 0; first < MOST; first += filled) {
                int at = first;
                BatchSampler.Samples samples = new BatchSampler.Samples(
                        filled,
                        IntStream.range(0, filled)
                                .mapToObj(i -> Subject.of((at + i) % 3))
                                .toArray(Subject[]::new),
                        Stream.generate(() -> Subject.of(3)).limit(filled).toArray(Subject[]::new),
                        LongStream.generate(() -> 4).limit(filled).toArray(),
                        LongStream.range(at, at + filled).toArray());
                float[] pixels = sampler.sample(samples, 4, step -> true);
                for (int i = 0; i < filled; i++) {
                    values[first + i] = Arrays.copyOfRange(pixels, i * TestStudents.SIZE, (i + 1) * TestStudents.SIZE);
                }
            }
        }
        return values;
    }

    @Test
    void a_sample_has_the_same_bits_in_every_place_of_every_batch_size_however_full() throws OrtException {
        Plan plan = TestStudents.noisyPlan(4);
        Path file = new TestStudents(2).anyTime(folder.resolve("s.onnx"), TestStudents.metadata("network", 2, plan));
        LoadedModel model = LoadedModel.open(file, 1, false);
        float[][] alone = drawn(model, 1, 1);
        assertThat(alone[0]).isNotEqualTo(alone[3]);
        for (int size : new int[] {4, MOST}) {
            for (int filled : new int[] {1, 2, 4}) {
                assertThat(drawn(model, size, filled))
                        .as("%s of %s", filled, size)
                        .isDeepEqualTo(alone);
            }
        }
        assertThat(drawn(model, MOST, MOST)).isDeepEqualTo(alone);
        model.release();
    }

    @Test
    void requests_that_wait_are_drawn_together_in_the_sizes_of_the_options_and_stay_what_they_are() throws Exception {
        Path file = TestStudents.usual(folder);
        CountDownLatch free = new CountDownLatch(1);
        try (Student student = Student.open(file, StudentOptions.latency().batchSizes(2, 8))) {
            List<Image> alone = student.sample(Request.of(1).seed(1).count(3));
            List<Image> other = student.sample(Request.of(0, 2).seed(2).count(2));
            long batches = student.metrics().batches();
            CompletableFuture<List<Image>> first = student.submit(
                    Request.of(0), java.time.Duration.ofMinutes(1), (done, total) -> await(free)); // the one worker
            while (student.metrics().waiting() > 0) {
                Thread.sleep(1);
            }
            CompletableFuture<List<Image>> three =
                    student.submit(Request.of(1).seed(1).count(3));
            CompletableFuture<List<Image>> four =
                    student.submit(Request.of(0, 2).seed(2).count(2));
            CompletableFuture<List<Image>> slower = student.submit(Request.of(0).steps(4));
            free.countDown();
            assertThat(bytes(three.get())).isDeepEqualTo(bytes(alone));
            assertThat(bytes(four.get())).isDeepEqualTo(bytes(other));
            assertThat(slower.get()).hasSize(1);
            assertThat(first.get()).hasSize(1);
            assertThat(student.metrics().batches() - batches)
                    .isEqualTo(3); // the first, seven together, and four steps apart
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[][] bytes(List<Image> images) {
        return images.stream().map(Image::bytes).toArray(byte[][]::new);
    }
}
