package dev.retort.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentException;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Draws what a prompt says, or the class that it names ({@link Request#inWords}): PNG files as base64, the prompt or the class's name as the revised
 * prompt, {@code seed} and of a class {@code label} in the response's metadata. It has no editing of pictures. The student stays its owner's to close.
 *
 * <p>What a student refuses is an {@link InvalidRequestException}; a full queue is a {@link RateLimitException} and a passed deadline a
 * {@link TimeoutException}, which may be tried again; what ONNX Runtime fails at is an {@link InternalServerException}, a closed student or an
 * interrupted thread a plain {@link LangChain4jException}. The cause of each is the {@link StudentException}.
 */
public final class StudentImageModel implements ImageModel {
    private final Student student;
    private final Long seed;
    private final int steps;
    private final Duration deadline;

    private StudentImageModel(Builder builder) {
        student = Objects.requireNonNull(builder.student, "student");
        seed = builder.seed;
        steps = builder.steps;
        deadline = builder.deadline;
    }

    /** What a model is made of; it needs a student. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Response<Image> generate(String prompt) {
        Response<List<Image>> response = generate(prompt, 1);
        return Response.from(response.content().get(0), null, null, response.metadata());
    }

    @Override
    public Response<List<Image>> generate(String prompt, int n) {
        try {
            return draw(prompt, n);
        } catch (StudentException e) {
            throw translated(e);
        }
    }

    private Response<List<Image>> draw(String prompt, int n) {
        long drawnFrom = seed == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : seed;
        Request request =
                Request.inWords(prompt, student).seed(drawnFrom).count(n).steps(steps);
        List<dev.retort.runtime.Image> pictures =
                deadline == null ? student.sample(request) : student.sample(request, deadline);
        String name = request.subject(student);
        List<Image> images =
                pictures.stream().map(picture -> image(picture, name)).toList();
        Map<String, Object> metadata = new HashMap<>();
        metadata.put("seed", drawnFrom);
        request.labels().forEach(label -> metadata.put("label", label));
        return Response.from(images, null, null, metadata);
    }

    private static Image image(dev.retort.runtime.Image picture, String name) {
        return Image.builder()
                .base64Data(Base64.getEncoder().encodeToString(picture.png()))
                .mimeType("image/png")
                .revisedPrompt(name)
                .build();
    }

    private static LangChain4jException translated(StudentException e) {
        String message = e.getMessage();
        return switch (e.kind()) {
            case BAD_REQUEST, TOO_LARGE -> new InvalidRequestException(message, e);
            case QUEUE_FULL -> new RateLimitException(message, e);
            case DEADLINE -> new TimeoutException(message, e);
            case RUNTIME -> new InternalServerException(message, e);
            default -> new LangChain4jException(message, e);
        };
    }

    /** Makes an image model. */
    public static final class Builder {
        private Student student;
        private Long seed;
        private int steps;
        private Duration deadline;

        private Builder() {}

        /** The student that draws. */
        public Builder student(Student student) {
            this.student = student;
            return this;
        }

        /** The seed of every request, at least 0: the same prompt then draws the same pictures. Without one each request draws others. */
        public Builder seed(Long seed) {
            this.seed = seed;
            return this;
        }

        /** One of the student's numbers of steps; 0, as without it, for its own. */
        public Builder steps(int steps) {
            this.steps = steps;
            return this;
        }

        /** How long a request may take. */
        public Builder deadline(Duration deadline) {
            this.deadline = deadline;
            return this;
        }

        /** The model. */
        public StudentImageModel build() {
            return new StudentImageModel(this);
        }
    }
}
