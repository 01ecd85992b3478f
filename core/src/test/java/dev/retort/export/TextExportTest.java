package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.io.Dtype;
import dev.retort.layout.ModelFiles;
import dev.retort.onnx.OnnxFile;
import dev.retort.onnx.OnnxWriter;
import dev.retort.quantize.QuantizeRecipe;
import dev.retort.quantize.Quantizer;
import dev.retort.report.Progress;
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.text.TokenizerText;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks that are told no class as ONNX files. */
class TextExportTest {
    private static final SamplingSpec GUIDED = SamplingSpec.of("flow-euler", 3, 1.7);

    @TempDir
    Path folder;

    private OnnxExport.Written export(Path model, boolean unrolled) {
        ModelCard card = ModelFiles.card(model);
        return new OnnxExport(OnnxExport.ways(card), unrolled, Dtype.F32, OnnxWriter.MOST_INSIDE)
                .write(model, folder.resolve("out.onnx"));
    }

    @Test
    void a_network_told_texts_takes_tokens_and_its_file_has_the_tokenizer() {
        Path model = SmallModel.words(folder.resolve("words"), GUIDED);
        OnnxExport.Written written = export(model, false);
        assertThat(written.error()).isLessThan(1e-5);
        assertThat(OnnxFile.read(written.file()).inputs())
                .extracting(Object::toString)
                .containsExactlyInAnyOrder("x F32 (N, 1, 8, 8)", "time F32 (N)", "tokens I64 (N, 1, 8)");
        assertThat(written.metadata())
                .containsEntry("retort.prompts", String.join("\n", SmallModel.CAPTIONS))
                .containsEntry("retort.guidance.3", "1.7 1.7 1.7 / 0")
                .doesNotContainKeys("retort.classes", "retort.labels");
        assertThat(TokenizerText.parse(written.metadata().get("retort.tokenizer.0")))
                .isEqualTo(ModelFiles.card(model).text().tokenizers().get(0));
    }

    @Test
    void all_steps_in_one_graph_are_guided_away_from_the_empty_text_and_texts_are_encoded_once() {
        Path model = SmallModel.words(folder.resolve("words"), GUIDED);
        OnnxExport.Written written = export(model, true);
        assertThat(written.error()).isBetween(1e-9, 5e-5);
        assertThat(OnnxFile.read(written.file()).inputs())
                .extracting(OnnxFile.Signature::name)
                .containsExactly("noise", "tokens");
        Path optimized = folder.resolve("optimized.onnx");
        OnnxSession.open(written.file(), optimized).close();
        int encoder = 2; // attention of its layers
        int unet = 8; // of four transformers to themselves and to the text
        assertThat(softmaxes(written.file())).isEqualTo(3 * (encoder + unet));
        assertThat(softmaxes(optimized)).isEqualTo(encoder + 3 * unet);
    }

    private static int softmaxes(Path file) {
        return OnnxFile.read(file).operators().get("Softmax");
    }

    @Test
    void a_quantised_one_whose_convolutions_are_kept_computes_products_in_whole_numbers() {
        Path model = SmallModel.words(folder.resolve("words"), GUIDED);
        Path quantised = folder.resolve("quantised");
        List<String> changes = List.of(
                "calibration.samples=4",
                "weights.others=fp32",
                "isa=any",
                "keep=[\"*conv*\", \"unet.down_blocks*\", \"unet.up_blocks*\"]"); // few others, as each is measured
        new Quantizer(model, QuantizeRecipe.of("int8-dynamic", changes), note -> {}, Progress.NONE).run(quantised);
        OnnxExport.Written written = export(quantised, false);
        assertThat(written.error()).isLessThan(1e-2);
        assertThat(written.metadata()).containsEntry("retort.precision", "int8-dynamic");
        assertThat(OnnxFile.read(written.file()).operators().get("com.microsoft.MatMulIntegerToFloat"))
                .isGreaterThan(15);
        try (Student student = Student.open(written.file())) {
            assertThat(student.sample(Request.ofPrompts("a red circle"))).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_u_net_without_text_is_of_one_class(boolean unrolled) {
        Path model = SmallModel.untold(folder.resolve("untold"), SamplingSpec.of("flow-euler", 3, 1));
        OnnxExport.Written written = export(model, unrolled);
        assertThat(written.error()).isLessThan(5e-5);
        assertThat(OnnxFile.read(written.file()).inputs())
                .extracting(OnnxFile.Signature::name)
                .containsExactly(unrolled ? new String[] {"noise", "label"} : new String[] {"x", "time", "label"});
        assertThat(written.metadata())
                .containsEntry("retort.classes", "shape")
                .containsEntry("retort.labels", "0")
                .doesNotContainKey("retort.prompts");
    }
}
