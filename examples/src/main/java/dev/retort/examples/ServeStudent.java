package dev.retort.examples;

import dev.retort.export.OnnxExport;
import dev.retort.io.Dtype;
import dev.retort.layout.ModelFiles;
import dev.retort.onnx.OnnxWriter;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentException;
import dev.retort.runtime.StudentException.Kind;
import dev.retort.runtime.StudentMetrics;
import dev.retort.runtime.StudentOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Lesson 12: pictures in a service. A student is exported once, on the machine that trained it; a service needs the file, the module
 * {@code runtime} and ONNX Runtime, but no libtorch. Arguments: student, ONNX file, folder for pictures.
 */
public final class ServeStudent {
    private ServeStudent() {}

    /** One file with all that is needed to draw. */
    public static Path export(Path model, Path onnx) {
        return new OnnxExport(OnnxExport.ways(ModelFiles.card(model)), false, Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(model, onnx)
                .file();
    }

    /** One picture of each class, all asked for at once: who waits is drawn together with others, and too long a queue says so. */
    public static StudentMetrics serve(Path onnx, Path folder) throws IOException {
        StudentOptions options = StudentOptions.throughput().queueCapacity(100);
        try (Student student = Student.open(onnx, options)) {
            student.warmUp(); // from here on a health check may say that it is ready
            List<CompletableFuture<List<Image>>> answers = new ArrayList<>();
            for (int label : student.labels()) {
                answers.add(student.submit(Request.of(label).seed(7), Duration.ofSeconds(30)));
            }
            Files.createDirectories(folder);
            for (int i = 0; i < answers.size(); i++) {
                Image image = picture(answers.get(i));
                Files.write(folder.resolve(i + ".png"), image.png());
            }
            return student.metrics();
        }
    }

    /** What a web service would answer with 503. */
    private static Image picture(CompletableFuture<List<Image>> answer) {
        try {
            return answer.join().get(0);
        } catch (CompletionException e) {
            if (e.getCause() instanceof StudentException failure && failure.kind() == Kind.DEADLINE) {
                throw new IllegalStateException("too busy; come again in a minute", failure);
            }
            throw e;
        }
    }

    /** Runs the lesson. */
    public static void main(String[] args) throws IOException {
        System.out.println(serve(export(Path.of(args[0]), Path.of(args[1])), Path.of(args[2])));
    }
}
