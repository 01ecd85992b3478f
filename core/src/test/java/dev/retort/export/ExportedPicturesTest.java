package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.ClassChoice;
import dev.retort.card.ImageShape;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.io.Dtype;
import dev.retort.io.PixelImage;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.onnx.OnnxWriter;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentOptions;
import dev.retort.sample.SampleJob;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A student that a service draws from is the one that was distilled. */
class ExportedPicturesTest {
    private static final int EACH = 2;
    private static final long SEED = 7;
    private static final List<Integer> LABELS = List.of(8, 0, 9);

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}, unrolled: {1}")
    @CsvSource({"fashion-few, false", "fashion-few, true", "fashion-student, false"})
    void the_runtime_draws_the_toolkits_pictures_within_one_level(String name, boolean unrolled) {
        Path model = Path.of("..", "zoo", name);
        Path file = folder.resolve("student.onnx");
        new OnnxExport(OnnxExport.ways(ModelFiles.card(model)), unrolled, Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(model, file);
        List<Image> drawn;
        try (Student student = Student.open(file, StudentOptions.latency().threads(1))) {
            drawn = student.sample(Request.of(8, 0, 9).seed(SEED).count(EACH));
        }
        int[] labels = new ClassChoice(LABELS).inTurn(EACH * LABELS.size());
        requireEqual(drawn, model, new Prompts.Labels(labels), Optional.empty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a small blue square"})
    void the_runtime_draws_what_prompts_say_as_the_toolkit_does(String negative) {
        Path model = SmallModel.words(folder.resolve("words"), SamplingSpec.of("flow-heun", 3, 2.5));
        Path file = folder.resolve("student.onnx");
        new OnnxExport(OnnxExport.ways(ModelFiles.card(model)), false, Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(model, file);
        String[] texts = {"Two red circles", "a green square beside a blue circle and two crosses"};
        List<Image> drawn;
        try (Student student = Student.open(file, StudentOptions.latency().threads(1))) {
            drawn = student.sample(
                    Request.ofPrompts(texts).negative(negative).seed(SEED).count(EACH));
        }
        List<String> inTurn = Collections.nCopies(EACH, Arrays.asList(texts)).stream()
                .flatMap(List::stream)
                .toList();
        requireEqual(drawn, model, new Prompts.Texts(inTurn), Optional.of(negative));
    }

    private static void requireEqual(List<Image> drawn, Path model, Prompts prompts, Optional<String> negative) {
        try (Pipeline<Denoiser> loaded = Models.open(model, Device.CPU, Precision.FP32)) {
            ImageShape shape = loaded.card().images();
            Sampler sampler = Sampling.sampler(
                    loaded.network(), loaded.card(), loaded.card().sampling(), Precision.FP32);
            Sampler led = negative.map(
                            text -> sampler.with(sampler.conditioner().withNegative(text)))
                    .orElse(sampler);
            new SampleJob(led, SEED, 5).sample(prompts, (done, total, text) -> {}, (first, pixels, n) -> {
                for (int i = 0; i < n; i++) {
                    PixelImage expected =
                            PixelImage.of(pixels, i * shape.values(), shape.channels(), shape.height(), shape.width());
                    requireWithinOne(drawn.get(first + i).bytes(), expected.pixels());
                }
            });
        }
        assertThat(drawn).hasSize(prompts.size());
    }

    private static void requireWithinOne(byte[] drawn, byte[] expected) {
        for (int i = 0; i < expected.length; i++) {
            assertThat(drawn[i] & 0xff).as("pixel %s", i).isCloseTo(expected[i] & 0xff, within(1));
        }
    }
}
