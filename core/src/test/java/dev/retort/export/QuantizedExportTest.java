package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.data.Prompts;
import dev.retort.io.Dtype;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Denoiser;
import dev.retort.onnx.OnnxFile;
import dev.retort.onnx.OnnxWriter;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.LoudModel;
import dev.retort.quantize.QuantizeRecipe;
import dev.retort.quantize.Quantizer;
import dev.retort.report.Progress;
import dev.retort.runtime.Image;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.sample.Folding;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quantised models on their way into an ONNX file: products of whole numbers there too, and the pictures of the toolkit. */
class QuantizedExportTest {
    private static final DitSpec SPEC = new DitSpec(8, 8, 1, 2, 64, 2, 4, 4, 3, 0.1, false, false);

    private static final int[] LABELS = {0, 1, 2, 0, 1, 2};

    @TempDir
    private Path temp;

    @ParameterizedTest
    @CsvSource({
        "int8-static, true, false",
        "int8-static, true, true",
        "int8-static, false, false",
        "int8-dynamic, true, true",
        "int8-dynamic, false, false"
    })
    void the_file_computes_in_whole_numbers_what_the_model_does(String preset, boolean folded, boolean unrolled) {
        Path model = quantised(preset, folded);
        ModelCard card = ModelFiles.card(model);
        Path file = temp.resolve("student.onnx");
        List<SamplingSpec> ways = unrolled ? List.of(card.sampling()) : OnnxExport.ways(card);
        OnnxExport.Written written =
                new OnnxExport(ways, unrolled, Dtype.F32, OnnxWriter.MOST_INSIDE).write(model, file);
        assertThat(written.error()).isBetween(0.0, 1e-2);
        assertThat(written.metadata()).containsEntry("retort.precision", preset).containsKey("retort.isa");
        assertThat(OnnxFile.read(file).operators())
                .containsEntry("com.microsoft.MatMulIntegerToFloat", 8 * (unrolled ? 2 : 1));
        assertThat(difference(model, file)).isLessThan(1.5);
    }

    private static float[] drawn(Path model) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Pipeline<Denoiser> loaded = Models.open(model, Device.CPU, Precision.FP32)) {
            return Tensors.floats(Sampling.sampler(
                            loaded.network(), loaded.card(), loaded.card().sampling(), Precision.FP32)
                    .sample(new Prompts.Labels(LABELS), 3, new long[] {0, 1, 2, 3, 4, 5}));
        }
    }

    /** The root mean square of the difference from the toolkit's pictures of the same classes and seed, in levels of 255. */
    private static double difference(Path model, Path file) {
        float[] drawn = drawn(model);
        double sum = 0;
        try (Student student = Student.open(file)) {
            List<Image> images = student.sample(Request.of(LABELS).seed(3));
            int size = drawn.length / LABELS.length;
            for (int i = 0; i < drawn.length; i++) {
                double level = Math.max(0, Math.min(255, (drawn[i] + 1) * 127.5));
                double difference = (images.get(i / size).bytes()[i % size] & 0xff) - level;
                sum += difference * difference;
            }
        }
        return Math.sqrt(sum / drawn.length);
    }

    @Test
    void a_quantised_model_is_folded_on_the_way() {
        Path model = quantised("int8-static", false);
        Path folded = temp.resolve("small");
        ModelCard card = Folding.fold(model, folded, dev.retort.torch.Dtype.F32);
        assertThat(card.quantization()).isEqualTo(ModelFiles.card(model).quantization());
        assertThat(drawn(folded)).containsExactly(drawn(model), within(1e-5f));
        OnnxExport export = new OnnxExport(OnnxExport.ways(card), false, Dtype.F32, OnnxWriter.MOST_INSIDE);
        OnnxExport.Written written = export.write(model, temp.resolve("student.onnx"));
        assertThat(written.folded()).isTrue();
        assertThat(written.bytes())
                .isEqualTo(export.write(folded, temp.resolve("same.onnx")).bytes());
    }

    @Test
    void weights_alone_in_fewer_bits_are_refused() {
        Path model = quantised("w8", true);
        assertThatThrownBy(() -> new OnnxExport(
                                OnnxExport.ways(ModelFiles.card(model)), false, Dtype.F32, OnnxWriter.MOST_INSIDE)
                        .write(model, temp.resolve("w8.onnx")))
                .hasMessageContaining("8-bit weights")
                .hasMessageContaining("int8-static or int8-dynamic");
        assertThat(temp.resolve("w8.onnx")).doesNotExist();
    }

    private Path quantised(String preset, boolean folded) {
        SamplingSpec two = SamplingSpec.of("flow-euler", 2, 1);
        Path model = LoudModel.write(temp.resolve("few"), SPEC, two, TrainedFor.steps(2, two, 1));
        if (folded) {
            Folding.fold(model, temp.resolve("folded"), dev.retort.torch.Dtype.F32);
            model = temp.resolve("folded");
        }
        Path out = temp.resolve("quantised");
        new Quantizer(
                        model,
                        QuantizeRecipe.of(preset, List.of("calibration.samples=8", "weights.others=fp32", "isa=any")),
                        note -> {},
                        Progress.NONE)
                .run(out);
        return out;
    }
}
