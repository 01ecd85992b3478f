package dev.retort.evaluate;

import dev.retort.report.Progress;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentOptions;
import java.nio.file.Path;
import java.util.List;

/**
 * An exported file, drawn from by ONNX Runtime.
 *
 * @param student the file, open
 * @param seed seed of all images
 * @param steps number of steps
 */
record OnnxGenerator(Student student, long seed, int steps) implements ImageGenerator {
    /** @param batch images drawn together */
    static OnnxGenerator open(Path file, long seed, int batch, int steps) {
        StudentOptions options = StudentOptions.latency().batchSizes(batch).maxImages(Integer.MAX_VALUE);
        return new OnnxGenerator(Student.open(file, options), seed, steps);
    }

    /** A request of the runtime begins with the first image, so all are drawn before the first batch is handed on. */
    @Override
    public ImageStream draw(SampleSet samples, Progress progress) {
        List<Integer> cycle = samples.cycle();
        int count = (samples.size() + cycle.size() - 1) / cycle.size();
        return sink -> {
            progress.update(0, samples.size(), "");
            List<Image> images =
                    student.sample(request(samples).seed(seed).count(count).steps(steps));
            progress.update(samples.size(), samples.size(), "");
            for (int first = 0; first < samples.size(); first += ImageStream.BATCH) {
                sink.accept(batch(images.subList(first, Math.min(first + ImageStream.BATCH, samples.size()))));
            }
        };
    }

    private Request request(SampleSet samples) {
        if (student.takesPrompts()) {
            return Request.ofPrompts(samples.asked().toArray(String[]::new));
        }
        return student.labels().isEmpty()
                ? Request.of()
                : Request.of(samples.cycle().stream().mapToInt(label -> label).toArray());
    }

    /** Channel by channel, as metrics take them. */
    private static PixelBatch batch(List<Image> images) {
        Image first = images.get(0);
        int plane = first.width() * first.height();
        int channels = first.channels();
        byte[] pixels = new byte[images.size() * channels * plane];
        for (int n = 0; n < images.size(); n++) {
            byte[] bytes = images.get(n).bytes();
            for (int i = 0; i < bytes.length; i++) {
                pixels[n * bytes.length + i % channels * plane + i / channels] = bytes[i];
            }
        }
        return new PixelBatch(pixels, images.size(), channels, first.height(), first.width());
    }

    @Override
    public void close() {
        student.close();
    }
}
