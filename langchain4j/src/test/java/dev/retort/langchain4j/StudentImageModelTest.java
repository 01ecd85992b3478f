package dev.retort.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import dev.retort.runtime.ImageModelContract;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentException;
import dev.retort.runtime.TestStudents;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudentImageModelTest extends ImageModelContract {
    @Override
    protected Model model(Student student, Long seed, Duration deadline) {
        ImageModel model = StudentImageModel.builder()
                .student(student)
                .seed(seed)
                .deadline(deadline)
                .build();
        return (prompt, n) -> model.generate(prompt, n).content().stream()
                .map(image -> new Drawn(image.base64Data(), image.revisedPrompt()))
                .toList();
    }

    @Override
    protected Class<? extends Exception> badRequest() {
        return InvalidRequestException.class;
    }

    @Override
    protected Class<? extends Exception> retriable(StudentException.Kind kind) {
        return kind == StudentException.Kind.DEADLINE ? TimeoutException.class : RateLimitException.class;
    }

    @Override
    protected Class<? extends Exception> broken() {
        return LangChain4jException.class;
    }

    @Test
    void one_picture_is_a_png_and_the_metadata_say_how_to_draw_it_again(@TempDir Path folder) {
        try (Student student = Student.open(TestStudents.usual(folder))) {
            ImageModel model = StudentImageModel.builder().student(student).build();
            Response<Image> response = model.generate("square");
            assertThat(response.content().mimeType()).isEqualTo("image/png");
            assertThat(response.metadata()).containsEntry("label", 1);
            Long seed = (Long) response.metadata().get("seed");
            ImageModel again =
                    StudentImageModel.builder().student(student).seed(seed).build();
            assertThat(again.generate("square").content()).isEqualTo(response.content());
            assertThat(again.generate("square").metadata()).isEqualTo(Map.of("seed", seed, "label", 1));
        }
    }

    @Test
    void another_number_of_steps_draws_other_pictures_and_one_that_the_file_lacks_is_refused(@TempDir Path folder) {
        try (Student student = Student.open(TestStudents.usual(folder))) {
            StudentImageModel.Builder builder =
                    StudentImageModel.builder().student(student).seed(1L);
            Image two = builder.build().generate("circle").content();
            assertThat(builder.steps(4).build().generate("circle").content()).isNotEqualTo(two);
            assertThatThrownBy(() -> builder.steps(3).build().generate("circle"))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("steps is 3, the file is for [2, 4]");
        }
    }
}
