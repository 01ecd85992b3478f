package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.runtime.StudentException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many callers, a bounded queue, deadlines, cancelling, reloading, closing. Trap: virtual threads pinned by native calls. */
@Timeout(60)
class StudentServiceTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    @TempDir
    private Path folder;

    private Path file;
    private final CountDownLatch held = new CountDownLatch(1);
    private final CountDownLatch free = new CountDownLatch(1);

    @BeforeEach
    void write() {
        file = TestStudents.usual(folder);
    }

    /** A request that holds the one worker after its first step until {@link #free}. */
    private CompletableFuture<List<Image>> hold(Student student) throws InterruptedException {
        CompletableFuture<List<Image>> result = student.submit(Request.of(0).steps(4), LONG, (done, total) -> {
            held.countDown();
            try {
                free.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        held.await();
        return result;
    }

    private static void refused(Kind kind, String start, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(StudentException.class, e -> {
            assertThat(e.kind()).isEqualTo(kind);
            assertThat(e).hasMessageStartingWith(start);
        });
    }

    private static void failed(Kind kind, CompletableFuture<?> result) {
        assertThatThrownBy(result::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        StudentException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void many_threads_get_each_its_own_pictures_and_no_caller_runs_native_code() throws Exception {
        Set<String> drawing = ConcurrentHashMap.newKeySet();
        StudentListener watch = new StudentListener() {
            @Override
            public void onStep(int step, int images, long nanos) {
                drawing.add(Thread.currentThread().getName());
            }
        };
        ExecutorService callers = Executors.newFixedThreadPool(8);
        try (Student alone = Student.open(file);
                Student student = Student.open(
                        file,
                        StudentOptions.throughput()
                                .threads(3)
                                .queueCapacity(100)
                                .listener(watch))) {
            List<Future<List<Image>>> results = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                int seed = i;
                results.add(callers.submit(
                        () -> student.sample(Request.of(seed % 3).seed(seed).count(1 + seed % 5))));
            }
            for (int i = 0; i < 60; i++) {
                List<Image> expected = alone.sample(Request.of(i % 3).seed(i).count(1 + i % 5));
                assertThat(results.get(i).get())
                        .usingRecursiveFieldByFieldElementComparator()
                        .isEqualTo(expected);
            }
            assertThat(drawing).isNotEmpty().allMatch(name -> name.startsWith("retort-student-"));
            assertThat(student.metrics().images()).isEqualTo(180);
            assertThat(student.metrics().waiting()).isZero();
        } finally {
            callers.shutdownNow();
        }
    }

    @Test
    void one_request_more_than_the_queue_holds_is_refused_and_a_place_is_free_again_at_once() throws Exception {
        try (Student student = Student.open(file, StudentOptions.latency().queueCapacity(2))) {
            CompletableFuture<List<Image>> first = hold(student);
            CompletableFuture<List<Image>> second = student.submit(Request.of(1));
            CompletableFuture<List<Image>> third = student.submit(Request.of(2));
            refused(Kind.QUEUE_FULL, "2 requests wait already", () -> student.submit(Request.of(0)));
            third.cancel(true);
            CompletableFuture<List<Image>> fourth = student.submit(Request.of(0));
            free.countDown();
            assertThat(List.of(first.get(), second.get(), fourth.get())).allMatch(images -> images.size() == 1);
            assertThat(student.metrics().failures()).isEqualTo(1);
        }
    }

    @Test
    void a_deadline_ends_waiting_for_a_busy_student_and_frees_the_place() throws Exception {
        try (Student student = Student.open(file)) {
            CompletableFuture<List<Image>> first = hold(student);
            refused(
                    Kind.DEADLINE,
                    "the pictures were not there within PT0.02S",
                    () -> student.sample(Request.of(1), Duration.ofMillis(20)));
            assertThat(student.metrics().waiting()).isZero();
            failed(Kind.DEADLINE, student.submit(Request.of(1), Duration.ZERO));
            free.countDown();
            assertThat(first.get()).hasSize(1);
            assertThat(student.sample(Request.of(1), LONG)).hasSize(1);
        }
    }

    @Test
    void cancelling_ends_the_work_after_the_step_that_is_computed() throws Exception {
        try (Student student = Student.open(file)) {
            CompletableFuture<List<Image>> first = hold(student);
            first.cancel(true);
            free.countDown();
            assertThat(student.sample(Request.of(1))).hasSize(1);
            assertThat(student.metrics().steps()).isEqualTo(1 + 2);
            assertThat(student.metrics().images()).isEqualTo(1);
        }
    }

    @Test
    void progress_counts_every_step_of_every_picture() {
        List<String> told = new ArrayList<>();
        try (Student student = Student.open(file, StudentOptions.latency().batchSizes(2))) {
            student.submit(Request.of(0, 1, 2), LONG, (done, total) -> told.add(done + "/" + total))
                    .join();
        }
        assertThat(told).containsExactly("1/6", "2/6", "3/6", "4/6", "5/6", "6/6");
    }

    @Test
    void a_listener_that_throws_stops_nothing() {
        StudentListener broken = new StudentListener() {
            @Override
            public void onStep(int step, int images, long nanos) {
                throw new AssertionError("metrics are broken");
            }
        };
        List<Throwable> uncaught = new ArrayList<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {
            uncaught.add(e);
            throw new IllegalStateException("so is the handler");
        });
        try (Student student = Student.open(file, StudentOptions.latency().listener(broken))) {
            CompletableFuture<List<Image>> result = student.submit(Request.of(0), LONG, (done, total) -> {
                throw new StackOverflowError("progress is broken");
            });
            assertThat(result.join()).hasSize(1);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
        assertThat(uncaught)
                .extracting(Throwable::getMessage)
                .containsExactly(
                        "metrics are broken", "progress is broken", "metrics are broken", "progress is broken");
    }

    @Test
    void an_interrupted_caller_stops_waiting_and_stays_interrupted() throws Exception {
        try (Student student = Student.open(file)) {
            hold(student);
            Thread.currentThread().interrupt();
            refused(Kind.CANCELLED, "the waiting thread was interrupted", () -> student.sample(Request.of(1)));
            assertThat(Thread.interrupted()).isTrue();
            free.countDown();
        }
    }

    @Test
    void what_waits_when_it_is_closed_fails_and_what_comes_later_is_refused() throws Exception {
        Student student = Student.open(file);
        CompletableFuture<List<Image>> first = hold(student);
        CompletableFuture<List<Image>> second = student.submit(Request.of(1));
        Thread closing = new Thread(student::close);
        closing.start();
        failed(Kind.CLOSED, second);
        assertThat(first).isNotDone();
        free.countDown();
        closing.join();
        assertThat(first).isDone();
        student.close();
        assertThat(student.isReady()).isFalse();
        refused(Kind.CLOSED, "the student is closed", () -> student.sample(Request.of(0)));
        refused(Kind.CLOSED, "the student is closed", () -> student.reload(file));
    }

    @Test
    void it_is_ready_once_it_has_drawn() {
        try (Student student = Student.open(file)) {
            assertThat(student.isReady()).isFalse();
            student.warmUp();
            assertThat(student.isReady()).isTrue();
            assertThat(student.metrics().images()).isEqualTo(1 + 4 + 16);
        }
    }

    @Test
    void each_thread_draws_a_batch_of_each_size_to_warm_up_even_beside_a_full_queue_and_none_is_a_request()
            throws Exception {
        Map<String, List<Integer>> drawn = new ConcurrentHashMap<>();
        StudentListener watch = new StudentListener() {
            @Override
            public void onStep(int step, int images, long nanos) {
                drawn.computeIfAbsent(Thread.currentThread().getName(), name -> new CopyOnWriteArrayList<>())
                        .add(images);
            }
        };
        StudentOptions options = StudentOptions.throughput()
                .threads(2)
                .batchSizes(1, 4)
                .maxImages(2)
                .listener(watch);
        try (Student student = Student.open(file, options)) {
            student.warmUp();
            assertThat(drawn.keySet()).containsExactlyInAnyOrder("retort-student-0", "retort-student-1");
            assertThat(drawn.values()).allMatch(sizes -> sizes.equals(List.of(1, 1, 4, 4))); // of two steps each
            assertThat(student.isReady()).isTrue();
            assertThat(student.metrics().images()).isEqualTo(2 * (1 + 4));
            assertThat(student.metrics().requests()).isZero();
        }
        try (Student student = Student.open(file, StudentOptions.latency().queueCapacity(1))) {
            hold(student);
            CompletableFuture<List<Image>> waiting = student.submit(Request.of(1));
            CompletableFuture<Void> warming = CompletableFuture.runAsync(student::warmUp);
            free.countDown();
            warming.get();
            assertThat(waiting.get()).hasSize(1);
        }
    }

    @Test
    void a_thread_of_the_students_may_close_and_reload_it_but_not_wait_for_itself() throws Exception {
        Student student = Student.open(file);
        CompletableFuture<List<Image>> first = hold(student);
        CompletableFuture<Void> sampling = first.thenRun(() -> student.sample(Request.of(1)));
        CompletableFuture<Void> timed = first.thenRun(() -> student.sample(Request.of(1), LONG));
        CompletableFuture<Void> warming = first.thenRun(student::warmUp);
        CompletableFuture<Void> reloading = first.thenRun(() -> student.reload(file));
        free.countDown();
        for (CompletableFuture<Void> own : List.of(sampling, timed, warming)) {
            assertThatThrownBy(own::get)
                    .hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("would wait for itself; use submit");
        }
        reloading.get();
        assertThat(student.sample(Request.of(1))).hasSize(1);
        student.submit(Request.of(0), LONG, (done, total) -> student.close()).get();
        refused(Kind.CLOSED, "the student is closed", () -> student.warmUp());
    }

    @Test
    void requests_before_a_reload_are_drawn_from_the_old_file_and_those_after_from_the_new_one() throws Exception {
        Path other = new TestStudents(6)
                .anyTime(folder.resolve("other.onnx"), TestStudents.metadata("network", 1, TestStudents.plan(2)));
        byte[] old;
        byte[] fresh;
        try (Student one = Student.open(file);
                Student two = Student.open(other)) {
            old = one.sample(Request.of(1)).get(0).bytes();
            fresh = two.sample(Request.of(1)).get(0).bytes();
        }
        assertThat(fresh).isNotEqualTo(old);
        AtomicInteger reloads = new AtomicInteger();
        StudentListener count = new StudentListener() {
            @Override
            public void onReload(Path path) {
                reloads.incrementAndGet();
            }
        };
        try (Student student = Student.open(file, StudentOptions.latency().listener(count))) {
            CompletableFuture<List<Image>> first = hold(student);
            CompletableFuture<List<Image>> before = student.submit(Request.of(1));
            Thread reloading = new Thread(() -> student.reload(other));
            reloading.start();
            free.countDown();
            reloading.join();
            assertThat(first.get()).hasSize(1);
            assertThat(before.get().get(0).bytes()).isEqualTo(old);
            assertThat(student.sample(Request.of(1)).get(0).bytes()).isEqualTo(fresh);
            assertThat(student.steps()).containsExactly(2);
            assertThat(reloads).hasValue(1);
        }
    }

    @Test
    void a_broken_file_leaves_the_old_one_serving() throws Exception {
        Path broken = Files.write(folder.resolve("broken.onnx"), new byte[] {1, 2, 3});
        try (Student student = Student.open(file)) {
            refused(Kind.BAD_FILE, broken + " cannot be opened", () -> student.reload(broken));
            assertThat(student.sample(Request.of(1).steps(4))).hasSize(1);
        }
    }

    @Test
    void a_busy_student_with_a_full_queue_is_reloaded_and_no_request_is_counted() throws Exception {
        try (Student student = Student.open(file, StudentOptions.latency().queueCapacity(1))) {
            CompletableFuture<List<Image>> first = hold(student);
            CompletableFuture<List<Image>> second = student.submit(Request.of(1));
            student.reload(file);
            assertThat(first).isNotDone();
            assertThat(student.metrics().requests()).isEqualTo(2);
            assertThat(student.metrics().failures()).isZero();
            free.countDown();
            assertThat(second.get()).hasSize(1);
            Path nan = new TestStudents(5)
                    .anyTime(
                            folder.resolve("nan.onnx"),
                            TestStudents.metadata("network", Double.MAX_VALUE, TestStudents.noisyPlan(2)));
            refused(Kind.RUNTIME, "picture 0 has values that are no numbers", () -> student.reload(nan));
            assertThat(student.sample(Request.of(1).steps(4))).hasSize(1);
        }
    }

    @Test
    void reloading_under_load_loses_no_request() throws Exception {
        Path other = new TestStudents(6)
                .anyTime(folder.resolve("other.onnx"), TestStudents.metadata("network", 1, TestStudents.plan(2)));
        try (Student student =
                Student.open(file, StudentOptions.throughput().threads(2).queueCapacity(400))) {
            List<CompletableFuture<List<Image>>> results = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                IntStream.range(0, 10)
                        .forEach(seed ->
                                results.add(student.submit(Request.of(0, 2).seed(seed))));
                student.reload(i % 2 == 0 ? other : file);
            }
            for (CompletableFuture<List<Image>> result : results) {
                assertThat(result.get()).hasSize(2);
            }
        }
    }
}
