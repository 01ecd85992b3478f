package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.onnx.OnnxFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {
    @TempDir
    private Path folder;

    private String model;

    @BeforeEach
    void save() {
        model = TinyModel.save(folder.resolve("tiny"), 16, 0.1).toString();
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void a_model_becomes_a_file_that_inspect_tells_of() {
        Ran written = Ran.retort("export", model + "@3,2", "--guidance", "2", "--out", at("a.onnx"))
                .good();
        assertThat(written.out().strip()).isEqualTo(at("a.onnx"));
        assertThat(written.err())
                .contains("(network); ONNX Runtime computes the same up to", "Next: retort inspect " + at("a.onnx"));
        Ran told = Ran.retort("inspect", at("a.onnx")).good();
        assertThat(told.out())
                .contains(
                        "Opsets    ai.onnx 21",
                        "Input     x F32 (N, 1, 8, 8)",
                        "Output    output F32 (N, 1, 8, 8)",
                        "Says      retort.steps = 3 2",
                        "Says      retort.guidance.2 = 2.0 2.0 / 0",
                        "Says      retort.classes = circle … (3 lines, shown by --json)");
        assertThat(Ran.retort("inspect", at("a.onnx"), "--json").good().out())
                .contains("\"retort.form\"", "retort-plan 1\\nsolver flow-euler");
    }

    @Test
    void all_steps_of_a_student_are_one_graph_in_half_the_bytes_where_asked() {
        String few = TinyModel.parallel(folder.resolve("few")).toString();
        Ran written = Ran.retort("export", few, "--unroll", "2", "--out", at("a.onnx"), "--json")
                .good();
        assertThat(written.out()).contains("\"form\"", "unrolled, folded", "\"error\"");
        assertThat(OnnxFile.read(folder.resolve("a.onnx")).inputs())
                .extracting(OnnxFile.Signature::name)
                .containsExactly("noise", "label");
        Ran.retort("export", few, "--unroll", "2", "--dtype", "fp16", "--out", at("b.onnx"))
                .good();
        assertThat(OnnxFile.read(folder.resolve("b.onnx")).metadata()).containsEntry("retort.precision", "fp16");
    }

    @Test
    void an_archive_for_pytorch_holds_the_card_and_samples_in_the_steps_that_were_asked_for() throws Exception {
        String few = TinyModel.parallel(folder.resolve("few")).toString();
        Ran written = Ran.retort("export", few + "@2", "--format", "torchscript", "--out", at("few.pt"))
                .good();
        assertThat(written.out().strip()).isEqualTo(at("few.pt"));
        assertThat(written.err()).contains("(forward, sample); TorchScript computes the same up to");
        try (ZipFile zip = new ZipFile(at("few.pt"))) {
            assertThat(text(zip, "few/extra/model.json")).isEqualTo(Files.readString(folder.resolve("few/model.json")));
            assertThat(text(zip, "few/code/__torch__/retort.py")).contains("def forward(", "def sample(", "range(2)");
        }
    }

    private static String text(ZipFile zip, String entry) throws Exception {
        return new String(zip.getInputStream(zip.getEntry(entry)).readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void an_archive_for_pytorch_is_refused_where_the_model_has_no_floats_or_a_table_in_place_of_them() {
        String few = TinyModel.parallel(folder.resolve("few")).toString();
        Ran.retort("export", few + "@4,2", "--format", "torchscript").refused(2, "one way to sample", "names 2");
        Ran.retort("export", few, "--format", "torchscript", "--unroll", "2").refused(2, "leave --unroll");
        Ran.retort("export", few, "--format", "torchscript", "--dtype", "fp16").refused(2, "weights in fp32");
        Ran.retort("export", few + "@3", "--format", "torchscript", "--out", at("no.pt"))
                .refused(2, "steps is 3, but parallel-euler");
        Ran.retort("convert", few, at("folded"), "--fold").good();
        Ran.retort("export", at("folded"), "--format", "torchscript", "--out", at("no.pt"))
                .refused(7, "is folded", "give the model that it was folded from");
        Ran.retort("quantize", model, "w8", "--out", at("small"), "--set", "calibration.samples=2")
                .good();
        Ran.retort("export", at("small"), "--format", "torchscript", "--out", at("no.pt"))
                .refused(7, "is quantised", "give the model that it was quantised from");
        assertThat(folder.resolve("no.pt")).doesNotExist();
    }

    @Test
    void weights_alone_go_the_way_of_convert() throws Exception {
        String square = TinyModel.ddpm(folder.resolve("square")).toString();
        Ran.retort("export", square, "--format", "safetensors", "--out", at("a.safetensors"))
                .good();
        Ran.retort("convert", square, at("b.safetensors")).good();
        assertThat(folder.resolve("a.safetensors")).hasSameBinaryContentAs(folder.resolve("b.safetensors"));
        Ran.retort("export", square, "--format", "diffusers", "--out", at("theirs"))
                .good();
        assertThat(folder.resolve("theirs/transformer/config.json")).exists();
    }

    @Test
    void what_cannot_be_written_is_refused_and_what_was_there_stays() throws Exception {
        Files.writeString(folder.resolve("a.onnx"), "mine");
        Ran.retort("export", model, "--out", at("a.onnx")).refused(2, "a.onnx exists", "--force");
        assertThat(folder.resolve("a.onnx")).hasContent("mine");
        Ran.retort("export", model, "--out", at("a.onnx"), "--force").good();
        Ran.retort("export", model, "--format", "gguf").refused(2, "choose onnx, torchscript, safetensors, diffusers");
        Ran.retort("export", model, "--dtype", "bf16").refused(2, "choose fp32 or fp16");
        Ran.retort("export", model, "--format", "diffusers", "--unroll", "2").refused(2, "holds weights and no steps");
        Ran.retort("export", model, "--unroll", "2", "--steps", "3").refused(2, "leave --steps 3 out");
        Ran.retort("export", model + "@3,2", "--unroll", "2").refused(2, "leave what stands behind @ in", "out");
        String few = TinyModel.parallel(folder.resolve("few")).toString();
        Ran.retort("export", few, "--unroll", "3", "--out", at("b.onnx")).refused(2, "steps is 3, but parallel-euler");
        Ran.retort("convert", TinyModel.ddpm(folder.resolve("square")).toString(), at("a.pt"))
                .good();
        Ran.retort("export", at("a.pt"), "--out", at("b.onnx")).refused(2, "is another program's", "retort convert");
        assertThat(folder.resolve("b.onnx")).doesNotExist();
        byte[] whole = Files.readAllBytes(folder.resolve("a.onnx"));
        Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(whole, whole.length / 2));
        Ran.retort("inspect", at("cut.onnx")).refused(7, "cannot read", "not an ONNX file, or is damaged");
    }
}
