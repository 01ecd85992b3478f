package dev.retort.springai;

import dev.retort.runtime.Request;
import dev.retort.runtime.Shape;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentException;
import dev.retort.runtime.StudentException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptions;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.retry.NonTransientAiException;
import org.springframework.ai.retry.TransientAiException;

/**
 * Draws what a prompt says, or the class that it names ({@link Request#inWords}): PNG files as base64, each with a {@link StudentImageMetadata}. A size other than the
 * student's, a model, a style and response formats other than {@code b64_json} are refused. The student stays its owner's to close.
 *
 * <p>A full queue, a passed deadline and what ONNX Runtime fails at is a {@link TransientAiException}, which may be tried again; all else a
 * {@link NonTransientAiException}. The cause of each is the {@link StudentException}.
 */
public final class StudentImageModel implements ImageModel {
    static final String RESPONSE_FORMAT = "b64_json";

    private final Student student;
    private final Long seed;
    private final Duration deadline;

    private StudentImageModel(Builder builder) {
        student = Objects.requireNonNull(builder.student, "student");
        seed = builder.seed;
        deadline = builder.deadline;
    }

    /** What a model is made of; it needs a student. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public ImageResponse call(ImagePrompt prompt) {
        try {
            return draw(prompt);
        } catch (StudentException e) {
            boolean again = e.kind() == Kind.QUEUE_FULL || e.kind() == Kind.DEADLINE || e.kind() == Kind.RUNTIME;
            throw again ? new TransientAiException(e.getMessage(), e) : new NonTransientAiException(e.getMessage(), e);
        }
    }

    private ImageResponse draw(ImagePrompt prompt) {
        List<ImageMessage> messages = prompt.getInstructions();
        require(messages.size() == 1, "messages", messages.size() + " texts", "one");
        Request request = request(Request.inWords(messages.get(0).getText(), student), prompt.getOptions());
        List<dev.retort.runtime.Image> pictures =
                deadline == null ? student.sample(request) : student.sample(request, deadline);
        String name = request.subject(student);
        Integer label = request.labels().isEmpty() ? null : request.labels().get(0);
        List<ImageGeneration> images = new ArrayList<>();
        for (dev.retort.runtime.Image picture : pictures) {
            Image image = new Image(null, Base64.getEncoder().encodeToString(picture.png()));
            images.add(
                    new ImageGeneration(image, new StudentImageMetadata(name, label, request.seed(), images.size())));
        }
        return new ImageResponse(images);
    }

    private Request request(Request asked, ImageOptions options) {
        Long wanted = seed;
        int n = 1;
        int steps = 0;
        if (options != null) {
            Shape shape = student.shape();
            same("width", options.getWidth(), shape.width());
            same("height", options.getHeight(), shape.height());
            same("responseFormat", options.getResponseFormat(), RESPONSE_FORMAT);
            require(options.getModel() == null, "model", options.getModel(), "none: a student is one model");
            require(
                    options.getStyle() == null,
                    "style",
                    options.getStyle(),
                    "none: what is drawn stands in the prompt");
            n = options.getN() == null ? n : options.getN();
        }
        if (options instanceof StudentImageOptions own) {
            wanted = own.seed() == null ? seed : own.seed();
            steps = own.steps() == null ? steps : own.steps();
        }
        long from = wanted == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : wanted;
        return asked.seed(from).count(n).steps(steps);
    }

    private static void same(String option, Object value, Object expected) {
        require(value == null || value.equals(expected), option, value, expected + " or nothing");
    }

    private static void require(boolean right, String option, Object value, String expected) {
        if (!right) {
            throw new StudentException(Kind.BAD_REQUEST, option + " is " + value + "; expected " + expected);
        }
    }

    /** Makes an image model. */
    public static final class Builder {
        private Student student;
        private Long seed;
        private Duration deadline;

        private Builder() {}

        /** The student that draws. */
        public Builder student(Student student) {
            this.student = student;
            return this;
        }

        /** The seed of requests that bring none, at least 0: the same prompt then draws the same pictures. Without one each request draws others. */
        public Builder seed(Long seed) {
            this.seed = seed;
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
