package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ClampSpec;
import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TrainedFor;
import dev.retort.config.OneLine;
import dev.retort.diffusion.PlanText;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.onnx.OnnxFile;
import dev.retort.onnx.OnnxWriter;
import dev.retort.sample.Sampling;
import dev.retort.torch.Precision;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OnnxExportTest {
    private static final Path ZOO = Path.of("..", "zoo");
    private static final DitSpec SPEC = SmallModel.SPEC;
    private static final ProcessSpec FLOW = ProcessSpec.flow();
    private static final ProcessSpec NOISE = ProcessSpec.of("linear", Prediction.EPSILON, 1);

    @TempDir
    Path folder;

    private static OnnxExport as(boolean unrolled, ModelCard card) {
        return new OnnxExport(OnnxExport.ways(card), unrolled, Dtype.F32, OnnxWriter.MOST_INSIDE);
    }

    private OnnxExport.Written export(Path model, boolean unrolled) {
        return as(unrolled, ModelFiles.card(model)).write(model, folder.resolve("out.onnx"));
    }

    @Test
    void the_zoo_s_student_of_one_call_is_folded_and_says_how_it_is_sampled() {
        Path model = ZOO.resolve("fashion-few");
        OnnxExport.Written written = export(model, false);
        OnnxFile file = OnnxFile.read(written.file());
        assertThat(file.inputs()).extracting(Object::toString).containsExactly("x F32 (N, 1, 28, 28)", "row I64 (N)");
        assertThat(file.outputs()).extracting(Object::toString).containsExactly("output F32 (N, 1, 28, 28)");
        assertThat(file.metadata())
                .isEqualTo(written.metadata())
                .containsEntry("retort.format", "1")
                .containsEntry("retort.form", "network")
                .containsEntry("retort.values", "1 28 28")
                .containsEntry("retort.labels", "0 1 2 3 4 5 6 7 8 9")
                .containsEntry("retort.steps", "1")
                .containsEntry("retort.guidance.1", "1.0 / 0")
                .containsEntry("retort.rows", "times 1000.0\nlabels 0 1 2 3 4 5 6 7 8 9\n")
                .containsEntry("retort.precision", "fp32");
        assertThat(file.metadata().get("retort.classes").lines())
                .isEqualTo(ModelFiles.card(model).classes());
        assertThat(PlanText.parse(file.metadata().get("retort.plan.1")).times()).containsExactly(1000);
        assertThat(written.bytes()).isEqualTo(written.file().toFile().length()).isLessThan(6_000_000);
        assertThat(written.error()).isLessThan(1e-5);
        assertThat(folder.toFile().list()).containsExactly("out.onnx");
    }

    @Test
    void a_teacher_is_asked_at_any_time_and_its_file_has_a_plan_for_each_number_of_steps() {
        Path model = SmallModel.write(
                folder.resolve("teacher"),
                SPEC.with(new ScalarInputs(true, 1000)),
                FLOW,
                SamplingSpec.of("flow-map", 4, 2),
                TrainedFor.ANY);
        ModelCard card = ModelFiles.card(model);
        List<SamplingSpec> ways = List.of(card.sampling(), card.sampling().withSteps(2));
        OnnxExport.Written written =
                new OnnxExport(ways, false, Dtype.F32, OnnxWriter.MOST_INSIDE).write(model, folder.resolve("out.onnx"));
        assertThat(written.folded()).isFalse();
        assertThat(OnnxFile.read(written.file()).inputs())
                .extracting(Object::toString)
                .containsExactlyInAnyOrder(
                        "x F32 (N, 2, 8, 8)", "time F32 (N)", "label I64 (N)", "guidance F32 (N)", "end_time F32 (N)");
        assertThat(written.metadata())
                .containsEntry("retort.steps", "4 2")
                .containsEntry("retort.guidance.2", "2.0 2.0 / 0")
                .containsKeys("retort.plan.4", "retort.plan.2");
    }

    static Stream<Arguments> unrolled() {
        SamplingSpec euler = SamplingSpec.of("flow-euler", 3, 1);
        SamplingSpec heads = SamplingSpec.of("parallel-euler", 4, 1);
        SamplingSpec map = SamplingSpec.of("flow-map", 2, 1);
        DitSpec learned = new DitSpec(8, 8, 2, 2, 48, 2, 3, 4, SmallModel.CLASSES, 0.1, true, false);
        return Stream.of(
                Arguments.of("few steps, folded", SPEC, FLOW, euler, SmallModel.steps(euler)),
                Arguments.of(
                        "folded for two classes",
                        SPEC,
                        FLOW,
                        euler,
                        SmallModel.steps(euler).ofClasses(List.of(1, 3))),
                Arguments.of(
                        "guided and folded", SPEC, FLOW, euler.withGuidance(2, 0, 0.5, 1), SmallModel.steps(euler)),
                Arguments.of("several heads", SPEC.withOutputs(4), FLOW, heads, SmallModel.steps(heads)),
                Arguments.of(
                        "landing times", SPEC.with(new ScalarInputs(false, 1000)), FLOW, map, SmallModel.steps(map)),
                Arguments.of(
                        "told its guidance",
                        SPEC.with(new ScalarInputs(true, 0)),
                        FLOW,
                        euler.withGuidance(2, 0, 1, 0),
                        TrainedFor.ANY),
                Arguments.of("history", SPEC, NOISE, SamplingSpec.of("dpmpp-3m", 6, 2), TrainedFor.ANY),
                Arguments.of("a corrector", SPEC, NOISE, SamplingSpec.of("unipc", 5, 1), TrainedFor.ANY),
                Arguments.of(
                        "Runge-Kutta",
                        SPEC,
                        NOISE,
                        SamplingSpec.of("pndm", 6, 1).with(OneLine.parse(ClampSpec.class, "none")),
                        TrainedFor.ANY),
                Arguments.of("noise", SPEC, NOISE, SamplingSpec.of("ddim:eta=0.5", 4, 1), TrainedFor.ANY),
                Arguments.of("learned noise", learned, NOISE, SamplingSpec.of("ddpm", 4, 2), TrainedFor.ANY),
                Arguments.of(
                        "a quantile",
                        SPEC,
                        NOISE,
                        SamplingSpec.of("ddim", 3, 1)
                                .with(OneLine.parse(ClampSpec.class, "dynamic:quantile=0.93,max=3")),
                        TrainedFor.ANY),
                Arguments.of("scaled inputs", SPEC, NOISE, SamplingSpec.of("euler", 3, 1), TrainedFor.ANY));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unrolled")
    void all_steps_in_one_graph_end_in_the_pixels_that_the_sampler_draws(
            String name, DitSpec spec, ProcessSpec process, SamplingSpec sampling, TrainedFor trained) {
        Path model = SmallModel.write(folder.resolve("model"), spec, process, sampling, trained);
        OnnxExport.Written written = export(model, true);
        assertThat(written.error()).isBetween(0.0, 5e-5);
        assertThat(written.form()).isEqualTo("unrolled");
        assertThat(written.folded()).isEqualTo(!trained.atAllTimes());
        OnnxFile file = OnnxFile.read(written.file());
        assertThat(file.inputs()).extracting(OnnxFile.Signature::name).startsWith("noise", "label");
        assertThat(file.outputs()).extracting(Object::toString).containsExactly("pixels F32 (N, 2, 8, 8)");
    }

    @Test
    void a_label_that_the_table_does_not_have_is_refused_by_the_file() {
        SamplingSpec euler = SamplingSpec.of("flow-euler", 1, 1);
        Path model = SmallModel.write(
                folder.resolve("model"),
                SPEC,
                FLOW,
                euler,
                SmallModel.steps(euler).ofClasses(List.of(1, 3)));
        try (OnnxSession session = OnnxSession.open(export(model, true).file())) {
            assertThat(session.run(Map.of("noise", new float[128], "label", new long[] {3})))
                    .containsKey("pixels");
            assertThatThrownBy(() -> session.run(Map.of("noise", new float[128], "label", new long[] {2})))
                    .hasMessageContaining("indices element out of data bounds");
        }
    }

    @Test
    void weights_of_16_bits_make_half_the_file_and_lie_outside_where_that_is_asked() {
        SamplingSpec euler = SamplingSpec.of("flow-euler", 2, 1);
        Path model = SmallModel.write(folder.resolve("model"), SPEC, FLOW, euler, SmallModel.steps(euler));
        OnnxExport.Written whole = export(model, false);
        OnnxExport.Written half = new OnnxExport(ways(model), false, Dtype.F16, OnnxWriter.MOST_INSIDE)
                .write(model, folder.resolve("half.onnx"));
        assertThat(half.metadata()).containsEntry("retort.precision", "fp16");
        assertThat(whole.bytes() - half.bytes()).isBetween(110_000L, 130_000L); // of 58 752 values
        assertThat(half.error()).isLessThan(2e-2);
        OnnxExport.Written beside =
                new OnnxExport(ways(model), false, Dtype.F32, 1000).write(model, folder.resolve("beside.onnx"));
        assertThat(OnnxFile.read(beside.file()).tensors())
                .filteredOn(tensor -> tensor.file().equals("beside.onnx.data"))
                .hasSizeGreaterThan(10);
        assertThat(beside.bytes() - beside.file().toFile().length())
                .isEqualTo(OnnxWriter.outside(beside.file()).toFile().length());
        assertThat(beside.error()).isEqualTo(whole.error());
    }

    private static List<SamplingSpec> ways(Path model) {
        return OnnxExport.ways(ModelFiles.card(model));
    }

    @Test
    void where_the_file_computes_something_else_the_first_layer_is_named_and_what_was_there_stays() throws Exception {
        SamplingSpec sampling = SamplingSpec.of("flow-euler", 2, 1);
        Path model = SmallModel.write(folder.resolve("model"), SPEC, FLOW, sampling, TrainedFor.ANY);
        Path other = folder.resolve("other.safetensors");
        Path far = folder.resolve("far.safetensors");
        changed(model.resolve(ModelFiles.WEIGHTS), "blocks.1.mlp.fc1.weight", 1.00031f, other);
        changed(model.resolve(ModelFiles.WEIGHTS), "blocks.1.mlp.fc1.weight", 1.5f, far);
        Path out = folder.resolve("out.onnx");
        Files.writeString(out, "mine");
        try (OpenedModel opened = OpenedModel.open(model);
                TensorFile rounded = TensorFiles.open(other);
                TensorFile wrong = TensorFiles.open(far)) {
            // fp16 holds all weights exactly but those of one layer
            OpenedModel mixed = new OpenedModel(opened.card(), rounded, opened.graph(), opened.network());
            Way way = new Way(2, Sampling.sampler(opened.network(), opened.card(), sampling, Precision.FP32));
            String where = FirstDifference.of(
                    mixed,
                    new OutputCheck(opened, way).calls().get(0).inputs(),
                    way.moments().get(0).time(),
                    Dtype.F16,
                    new Tolerance(false, 1e-4),
                    folder.resolve("probe.onnx"));
            assertThat(where).startsWith("the first layer that differs is blocks.1.mlp.fc1 (LINEAR_GELU_TANH), by ");
            OpenedModel another = new OpenedModel(opened.card(), wrong, opened.graph(), opened.network());
            assertThatThrownBy(() -> as(false, opened.card()).write(another, folder.resolve("new.onnx"), out))
                    .isInstanceOf(RetortException.class)
                    .hasMessageContaining(
                            out + " was not written: what ONNX Runtime computes differs from the network by");
        }
        assertThat(out).hasContent("mine");
    }

    private static void changed(Path from, String name, float factor, Path to) {
        try (TensorFile file = TensorFiles.open(from)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            file.entries().forEach((key, entry) -> {
                float[] values = file.floats(key);
                for (int i = 0; key.equals(name) && i < values.length; i++) {
                    values[i] *= factor;
                }
                writer.add(key, entry.shape(), values);
            });
            writer.write(to);
        }
    }

    @Test
    void what_cannot_be_exported_is_refused_with_the_reason() throws Exception {
        SamplingSpec euler = SamplingSpec.of("flow-euler", 2, 1);
        Path model = SmallModel.write(folder.resolve("model"), SPEC, FLOW, euler, SmallModel.steps(euler));
        Path out = folder.resolve("out.onnx");
        assertThatThrownBy(() -> new OnnxExport(List.of(euler.withSteps(4)), false, Dtype.F32, 1).write(model, out))
                .hasMessageContaining("steps is 4, but the model was trained for 2 steps alone");
        assertThatThrownBy(() ->
                        new OnnxExport(List.of(euler.withGuidance(3, 0, 1, 0)), false, Dtype.F32, 1).write(model, out))
                .hasMessageContaining("the table of DiT")
                .hasMessageContaining("has no row without a label");
        assertThat(folder.toFile().list()).containsExactly("model");
        Files.writeString(out, "no model");
        assertThatThrownBy(() -> OnnxSession.open(out))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("ONNX Runtime 1.")
                .hasMessageContaining("refuses " + out);
    }
}
