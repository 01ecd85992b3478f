package dev.retort.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.runtime.ImageModelContract;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentException;
import dev.retort.runtime.TestStudents;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptions;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.retry.NonTransientAiException;
import org.springframework.ai.retry.TransientAiException;

class StudentImageModelTest extends ImageModelContract {
    @Override
    protected Model model(Student student, Long seed, Duration deadline) {
        ImageModel model = StudentImageModel.builder()
                .student(student)
                .seed(seed)
                .deadline(deadline)
                .build();
        return (prompt, n) ->
                model
                        .call(new ImagePrompt(
                                prompt, ImageOptionsBuilder.builder().n(n).build()))
                        .getResults()
                        .stream()
                        .map(image -> new Drawn(
                                image.getOutput().getB64Json(), metadata(image).revisedPrompt()))
                        .toList();
    }

    private static StudentImageMetadata metadata(ImageGeneration image) {
        return (StudentImageMetadata) image.getMetadata();
    }

    @Override
    protected Class<? extends Exception> badRequest() {
        return NonTransientAiException.class;
    }

    @Override
    protected Class<? extends Exception> retriable(StudentException.Kind kind) {
        return TransientAiException.class;
    }

    @Override
    protected Class<? extends Exception> broken() {
        return NonTransientAiException.class;
    }

    @Test
    void a_prompt_alone_draws_one_picture_and_its_metadata_draw_it_again(@TempDir Path folder) {
        try (Student student = Student.open(TestStudents.usual(folder))) {
            ImageModel model = StudentImageModel.builder().student(student).build();
            ImageGeneration image = model.call(new ImagePrompt("square")).getResult();
            long seed = metadata(image).seed();
            assertThat(image.getMetadata()).isEqualTo(new StudentImageMetadata("square", 1, seed, 0));
            StudentImageOptions options = StudentImageOptions.usual().seed(seed);
            List<ImageGeneration> again =
                    model.call(new ImagePrompt("square", options.n(2))).getResults();
            assertThat(again).extracting(ImageGeneration::getOutput).startsWith(image.getOutput());
            assertThat(metadata(again.get(1)).index()).isEqualTo(1);
            assertThat(model.call(new ImagePrompt("square", options.steps(4)))
                            .getResult()
                            .getOutput())
                    .isNotEqualTo(image.getOutput());
        }
    }

    @Test
    void the_students_size_is_the_only_one_and_what_it_has_not_is_refused(@TempDir Path folder) {
        try (Student student = Student.open(TestStudents.usual(folder))) {
            ImageModel model = StudentImageModel.builder().student(student).build();
            ImageOptions fitting = ImageOptionsBuilder.builder()
                    .width(8)
                    .height(8)
                    .responseFormat("b64_json")
                    .build();
            assertThat(model.call(new ImagePrompt("0", fitting)).getResults()).hasSize(1);
            refused(model, ImageOptionsBuilder.builder().width(1024), "width is 1024; expected 8 or nothing");
            refused(model, ImageOptionsBuilder.builder().height(9), "height is 9; expected 8 or nothing");
            refused(model, ImageOptionsBuilder.builder().responseFormat("url"), "responseFormat is url");
            refused(model, ImageOptionsBuilder.builder().model("dall-e-3"), "model is dall-e-3");
            refused(model, ImageOptionsBuilder.builder().style("vivid"), "style is vivid");
            List<ImageMessage> two = List.of(new ImageMessage("0"), new ImageMessage("1"));
            assertThatThrownBy(() -> model.call(new ImagePrompt(two)))
                    .isInstanceOf(NonTransientAiException.class)
                    .hasMessageContaining("messages is 2 texts");
        }
    }

    private static void refused(ImageModel model, ImageOptionsBuilder options, String message) {
        assertThatThrownBy(() -> model.call(new ImagePrompt("0", options.build())))
                .isInstanceOf(NonTransientAiException.class)
                .hasMessageContaining(message);
    }
}
