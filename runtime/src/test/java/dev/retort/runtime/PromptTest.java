package dev.retort.runtime;

import static dev.retort.runtime.StudentPicturesTest.requireEqual;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.Plan;
import dev.retort.runtime.StudentException.Kind;
import dev.retort.text.ClipTokenizer;
import dev.retort.text.TokenizerText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Students that draw what texts say, and those that are told nothing. */
class PromptTest {
    private static final TestStudents NETWORK = new TestStudents(5);
    private static final Plan TWO = TestStudents.plan(2);
    private static final List<String> TEXTS = List.of("a red circle", "two blue squares");
    private static final ClipTokenizer TOKENIZER = ClipTokenizer.learn(TEXTS, 60, 6);

    @TempDir
    private Path folder;

    private Path words(double guidance) {
        Map<String, String> metadata = new LinkedHashMap<>(TestStudents.metadata("network", guidance, TWO));
        metadata.put("retort.prompts", String.join("\n", TEXTS));
        return NETWORK.words(folder.resolve("words.onnx"), metadata, TOKENIZER);
    }

    private static ArrayExecutor.Network told(String text, String negative) {
        return NETWORK.told(TOKENIZER, text, negative, 2.5);
    }

    private static void refused(Kind kind, ThrowingCallable call, String part) {
        assertThatThrownBy(call)
                .hasMessageContaining(part)
                .isInstanceOfSatisfying(
                        StudentException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void each_prompt_is_drawn_in_turn_and_led_away_from_the_empty_text_or_a_negative_one() {
        try (Student student = Student.open(words(2.5))) {
            assertThat(student.takesPrompts()).isTrue();
            assertThat(student.prompts()).isEqualTo(TEXTS);
            assertThat(student.classes()).isEmpty();
            requireEqual(
                    student.sample(Request.ofPrompts("Two red  circles", "a square")
                            .seed(7)
                            .count(3)),
                    TWO,
                    new ArrayExecutor.Network[] {told("two red circles", ""), told("a square", "")},
                    7);
            requireEqual(
                    student.sample(Request.ofPrompts("a circle")
                            .negative("blue")
                            .seed(2)
                            .count(2)),
                    TWO,
                    new ArrayExecutor.Network[] {told("a circle", "blue")},
                    2);
        }
    }

    @Test
    void where_no_prompt_is_given_the_examples_are_drawn() {
        try (Student student = Student.open(words(2.5))) {
            student.warmUp();
            requireEqual(
                    student.sample(Request.of()),
                    TWO,
                    new ArrayExecutor.Network[] {told(TEXTS.get(0), ""), told(TEXTS.get(1), "")},
                    0);
            student.reload(words(2.5));
        }
    }

    @Test
    void requests_with_other_prompts_and_negatives_share_a_batch() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        StudentOptions options = StudentOptions.throughput().threads(1).batchSizes(4);
        try (Student student = Student.open(words(2.5), options)) {
            CompletableFuture<List<Image>> first = student.submit(Request.of(), null, (done, total) -> {
                held.countDown();
                try {
                    free.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            held.await();
            List<Request> requests = List.of(
                    Request.ofPrompts("a circle"),
                    Request.ofPrompts("a square").negative("red"),
                    Request.ofPrompts("two circles").negative("blue").seed(4));
            List<CompletableFuture<List<Image>>> waiting =
                    requests.stream().map(student::submit).toList();
            free.countDown();
            first.join();
            waiting.forEach(CompletableFuture::join);
            assertThat(student.metrics().batches()).isEqualTo(2);
            for (int i = 0; i < requests.size(); i++) {
                Request request = requests.get(i);
                requireEqual(
                        waiting.get(i).join(),
                        TWO,
                        new ArrayExecutor.Network[] {told(request.prompts().get(0), request.negative())},
                        request.seed());
            }
        }
    }

    @Test
    void what_a_prompt_has_too_much_is_told_beforehand_and_to_the_listener() {
        List<String> warnings = new ArrayList<>();
        StudentListener listener = new StudentListener() {
            @Override
            public void onWarning(String message) {
                warnings.add(message);
            }
        };
        try (Student student = Student.open(words(2.5), StudentOptions.latency().listener(listener))) {
            String text = "a red circle two blue squares";
            assertThat(student.cut("a red circle")).isEmpty();
            assertThat(student.cut(text)).isEqualTo("blue squares");
            student.sample(Request.ofPrompts(text));
            assertThat(warnings)
                    .containsExactly("a prompt is longer than the student reads; left out of it: blue squares");
        }
    }

    @Test
    void what_a_student_of_texts_cannot_draw_is_refused() {
        try (Student student = Student.open(words(2.5))) {
            refused(Kind.BAD_REQUEST, () -> student.sample(Request.of(1)), "the student draws what texts say");
            refused(Kind.BAD_REQUEST, () -> student.sample(Request.ofClasses("circle")), "give it prompts");
            refused(
                    Kind.TOO_LARGE,
                    () -> student.sample(Request.ofPrompts("x".repeat(10_001))),
                    "a prompt has 10001 letters; expected at most 10000");
            refused(
                    Kind.TOO_LARGE,
                    () -> student.sample(Request.ofPrompts("a", "b").count(129)),
                    "258 pictures (2 prompts, 129 of each)");
            refused(
                    Kind.BAD_REQUEST,
                    () -> new Request(List.of(1), List.of(), TEXTS, "", 0, 1, 0),
                    "expected prompts or classes, not both");
        }
        try (Student student = Student.open(words(1))) {
            refused(
                    Kind.BAD_REQUEST,
                    () -> student.sample(Request.ofPrompts("a circle").negative("red")),
                    "negative is 'red', and the student's guidance asks for no other text");
        }
    }

    @Test
    void a_student_of_classes_is_given_no_texts() {
        try (Student student = Student.open(TestStudents.usual(folder))) {
            assertThat(student.takesPrompts()).isFalse();
            refused(
                    Kind.BAD_REQUEST,
                    () -> student.sample(Request.ofPrompts("a circle")),
                    "the student draws classes; name these, it has the classes 0 circle, 1 square");
            refused(
                    Kind.BAD_REQUEST,
                    () -> student.sample(Request.of(0).negative("red")),
                    "negative is 'red', and the student is told no texts");
        }
    }

    @Test
    void a_student_that_is_told_nothing_draws_its_one_kind() {
        Path file = NETWORK.untold(folder.resolve("untold.onnx"), TestStudents.metadata("network", 1, TWO));
        try (Student student = Student.open(file)) {
            student.warmUp();
            assertThat(student.labels()).isEmpty();
            requireEqual(
                    student.sample(Request.of().seed(3).count(2)),
                    TWO,
                    new ArrayExecutor.Network[] {NETWORK.untold()},
                    3);
            refused(
                    Kind.BAD_REQUEST,
                    () -> student.sample(Request.ofPrompts("a circle")),
                    "the student draws pictures of one kind; leave them out");
            refused(Kind.BAD_REQUEST, () -> student.sample(Request.of(1)), "pictures of one kind; name no classes");
            refused(Kind.BAD_REQUEST, () -> student.sample(Request.ofClasses("a")), "name no classes");
        }
    }

    @Test
    void a_file_whose_tokenizer_does_not_fit_or_is_damaged_is_refused() {
        Map<String, String> metadata = new LinkedHashMap<>(TestStudents.metadata("network", 1, TWO));
        metadata.put("retort.tokenizer.0", "length 6");
        Path plain = NETWORK.anyTime(folder.resolve("plain.onnx"), metadata);
        refused(Kind.BAD_FILE, () -> Student.open(plain), "retort.tokenizer.0: it has 1 lines");
        metadata.put("retort.tokenizer.0", TokenizerText.of(ClipTokenizer.learn(TEXTS, 60, 7)));
        NETWORK.anyTime(plain, metadata);
        refused(Kind.BAD_FILE, () -> Student.open(plain), "it has a tokenizer and is told no tokens");
        NETWORK.words(plain, metadata, TOKENIZER);
        refused(Kind.BAD_FILE, () -> Student.open(plain), "its input tokens is [-1, 1, 6], expected [-1, 1, 7]");
    }
}
