package dev.retort.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What every adapter of a framework's image model keeps to; each extends this. */
@Timeout(60)
public abstract class ImageModelContract {
    /** A picture as a framework hands it out. */
    public record Drawn(String base64, String revisedPrompt) {}

    /** An adapter, asked as its framework asks. */
    @FunctionalInterface
    public interface Model {
        /** So many pictures of a prompt. */
        List<Drawn> draw(String prompt, int n);
    }

    @TempDir
    private Path folder;

    private Student student;

    /**
     * An adapter over a student.
     *
     * @param seed {@code null} for another one with each request
     * @param deadline {@code null} for none
     */
    protected abstract Model model(Student student, Long seed, Duration deadline);

    /** What the framework throws where a request is wrong. */
    protected abstract Class<? extends Exception> badRequest();

    /** What it throws where to ask again later may help. */
    protected abstract Class<? extends Exception> retriable(StudentException.Kind kind);

    /** What it throws where nothing helps. */
    protected abstract Class<? extends Exception> broken();

    @BeforeEach
    void open() {
        student = Student.open(
                TestStudents.usual(folder),
                StudentOptions.latency().queueCapacity(1).maxImages(8));
    }

    @AfterEach
    void close() {
        student.close();
    }

    private Model seeded() {
        return model(student, 7L, null);
    }

    private void pictures(List<Drawn> drawn, int label, String name) {
        List<Image> expected = student.sample(Request.of(label).seed(7).count(drawn.size()));
        for (int i = 0; i < drawn.size(); i++) {
            assertThat(Base64.getDecoder().decode(drawn.get(i).base64()))
                    .isEqualTo(expected.get(i).png());
            assertThat(drawn.get(i).revisedPrompt()).isEqualTo(name);
        }
    }

    @Test
    void a_class_is_asked_for_by_its_name_and_the_student_draws_it() {
        pictures(seeded().draw("square", 1), 1, "square");
    }

    @Test
    void a_class_is_asked_for_by_its_number() {
        pictures(seeded().draw(" 2 ", 1), 2, "star, asterisk");
    }

    @Test
    void a_class_is_asked_for_in_a_sentence_by_its_name_or_a_synonym_of_it() {
        pictures(seeded().draw("A photo of a Circle, please", 1), 0, "circle");
        pictures(seeded().draw("one asterisk", 1), 2, "star, asterisk");
    }

    @Test
    void a_prompt_that_names_no_class_or_several_is_refused_with_the_names_of_the_classes() {
        Model model = seeded();
        for (String prompt : List.of("sqare", "squares", "circle and square", "", "x".repeat(100), "-1", "3")) {
            assertThatThrownBy(() -> model.draw(prompt, 1))
                    .as(prompt)
                    .isInstanceOf(badRequest())
                    .hasMessageContaining("0 circle, 1 square, 2 star, asterisk");
        }
        assertThatThrownBy(() -> model.draw("sqare", 1)).hasMessageContaining("did you mean 'square'?");
        assertThatThrownBy(() -> model.draw("circle and square", 1)).hasMessageContaining("names the classes [0, 1]");
    }

    @Test
    void a_student_that_takes_prompts_draws_what_the_prompt_says() {
        try (Student told = Student.open(TestStudents.words(folder))) {
            String prompt = "A red  circle";
            List<Drawn> drawn = model(told, 7L, null).draw(prompt, 2);
            List<Image> expected =
                    told.sample(Request.ofPrompts("a red circle").seed(7).count(2));
            for (int i = 0; i < 2; i++) {
                assertThat(Base64.getDecoder().decode(drawn.get(i).base64()))
                        .isEqualTo(expected.get(i).png());
                assertThat(drawn.get(i).revisedPrompt()).isEqualTo(prompt);
            }
            assertThatThrownBy(() -> model(told, 7L, null).draw(" ", 1))
                    .isInstanceOf(badRequest())
                    .hasMessageContaining("prompt is empty; expected a text");
        }
    }

    @Test
    void as_many_pictures_come_as_are_asked_for_and_no_two_are_alike() {
        List<Drawn> drawn = seeded().draw("circle", 5);
        assertThat(drawn).hasSize(5).extracting(Drawn::base64).doesNotHaveDuplicates();
        pictures(drawn, 0, "circle");
    }

    @Test
    void a_number_of_pictures_below_one_or_above_what_the_student_allows_is_refused() {
        Model model = seeded();
        assertThatThrownBy(() -> model.draw("circle", 0))
                .isInstanceOf(badRequest())
                .hasMessageContaining("count is 0");
        assertThatThrownBy(() -> model.draw("circle", 9))
                .isInstanceOf(badRequest())
                .hasMessageContaining("maxImages allows 8");
    }

    @Test
    void the_same_seed_draws_the_same_bytes_and_without_one_each_request_draws_others() {
        assertThat(seeded().draw("square", 2)).isEqualTo(seeded().draw("square", 2));
        Model unseeded = model(student, null, null);
        assertThat(unseeded.draw("square", 1)).isNotEqualTo(unseeded.draw("square", 1));
    }

    @Test
    void a_negative_seed_is_refused() {
        assertThatThrownBy(() -> model(student, -1L, null).draw("square", 1))
                .isInstanceOf(badRequest())
                .hasMessageContaining("seed is -1");
    }

    @Test
    void a_full_queue_and_a_passed_deadline_ask_to_come_again() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch free = new CountDownLatch(1);
        CompletableFuture<List<Image>> drawing = student.submit(Request.of(0), Duration.ofMinutes(1), (done, total) -> {
            held.countDown();
            try {
                free.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        try {
            held.await();
            Model hurried = model(student, 7L, Duration.ofMillis(20));
            assertThatThrownBy(() -> hurried.draw("circle", 1))
                    .isInstanceOf(retriable(StudentException.Kind.DEADLINE))
                    .hasMessageContaining("were not there within PT0.02S");
            CompletableFuture<List<Image>> waiting = student.submit(Request.of(1));
            assertThatThrownBy(() -> seeded().draw("circle", 1))
                    .isInstanceOf(retriable(StudentException.Kind.QUEUE_FULL))
                    .hasMessageContaining("1 requests wait already");
            free.countDown();
            assertThat(waiting.get()).hasSize(1);
        } finally {
            free.countDown();
            drawing.join();
        }
        pictures(seeded().draw("circle", 1), 0, "circle");
    }

    @Test
    void a_closed_student_says_so() {
        Model model = seeded();
        student.close();
        assertThatThrownBy(() -> model.draw("circle", 1))
                .isInstanceOf(broken())
                .hasMessageContaining("the student is closed");
    }
}
