package dev.retort.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.error.RetortException;
import dev.retort.graph.Shape;
import dev.retort.io.Dtype;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxFileTest {
    @TempDir
    Path folder;

    private static OnnxModel model() {
        OnnxBuilder builder = new OnnxBuilder();
        String x = builder.input("x", Dtype.F32, Shape.ofSamples(1, 4));
        builder.label("fc");
        double[] weights = new double[4 * 100];
        Arrays.setAll(weights, i -> i);
        String weight = builder.constant("fc.weight", Dtype.F32, weights, 4, 100);
        String product = builder.add(OnnxOp.MATMUL, x, weight);
        String sum = builder.add(OnnxOp.ADD, product, builder.number(0.5));
        builder.output("y", Dtype.F32, Shape.ofSamples(1, 100), builder.add(OnnxOp.ADD, sum, builder.number(0.5)));
        return builder.model(Map.of("made.by", "a test", "several", "one\ntwo"));
    }

    @Test
    void what_was_written_is_read_again_without_its_weights() {
        Path file = folder.resolve("a.onnx");
        OnnxWriter.write(file, model(), OnnxWriter.MOST_INSIDE);
        OnnxFile read = OnnxFile.read(file);
        assertThat(read.irVersion()).isEqualTo(10);
        assertThat(read.producer()).isEqualTo("retort");
        assertThat(read.opsets()).containsExactly(Map.entry("ai.onnx", 21L));
        assertThat(read.metadata()).containsOnly(Map.entry("made.by", "a test"), Map.entry("several", "one\ntwo"));
        assertThat(read.inputs()).extracting(Object::toString).containsExactly("x F32 (N, 1, 4)");
        assertThat(read.outputs()).extracting(Object::toString).containsExactly("y F32 (N, 1, 100)");
        assertThat(read.operators())
                .containsOnly(Map.entry("MatMul", 1), Map.entry("Add", 2), Map.entry("Identity", 1));
        assertThat(read.tensors()).extracting(OnnxFile.Held::name).containsExactly("fc.weight", "number.F32.0.5");
        assertThat(read.tensors().get(0).values()).isEqualTo(400);
        assertThat(folder).isDirectoryNotContaining("glob:**.data");
    }

    @Test
    void large_tensors_lie_beside_the_file_at_whole_pages() throws IOException {
        Path file = folder.resolve("b.onnx");
        OnnxWriter.write(file, model(), 1000);
        OnnxFile read = OnnxFile.read(file);
        assertThat(read.tensors()).extracting(OnnxFile.Held::file).containsExactly("b.onnx.data", "");
        assertThat(read.tensors().get(0).end()).isEqualTo(1600);
        assertThat(OnnxWriter.outside(file)).hasSize(1600);
        Files.write(OnnxWriter.outside(file), new byte[1599]);
        refused(file, "the values of fc.weight lie in b.onnx.data up to byte 1600, but that has 1599; copy both files");
        Files.delete(OnnxWriter.outside(file));
        refused(file, "which is not beside it");
    }

    @Test
    void a_file_cut_off_anywhere_or_of_another_kind_is_refused_and_never_read_wrongly() throws IOException {
        Path file = folder.resolve("c.onnx");
        OnnxWriter.write(file, model(), OnnxWriter.MOST_INSIDE);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length += 7) {
            Files.write(file, Arrays.copyOf(whole, length));
            int cut = length;
            try {
                OnnxFile read = OnnxFile.read(file);
                // what stands behind the graph may be cut off between two of its fields
                assertThat(read.outputs()).as("cut at %d", cut).isNotEmpty();
            } catch (RetortException e) {
                assertThat(e).hasMessageContaining("cannot read " + file);
            }
        }
        Files.writeString(file, "{\"format\": 4, \"network\": \"this is no protocol buffer\"}");
        refused(file, "not an ONNX file");
        refused(folder.resolve("none.onnx"), "there is no such file");
        refused(folder, "it is a folder");
    }

    private static void refused(Path file, String why) {
        assertThatThrownBy(() -> OnnxFile.read(file))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("cannot read " + file)
                .hasMessageContaining(why);
    }

    @Test
    void a_node_is_checked_when_it_is_made() {
        node(OnnxOp.ADD, List.of("a"), Map.of(), "Add has the operands [a], expected [A, B]");
        node(OnnxOp.ADD, List.of("a", ""), Map.of(), "Add has the operands [a, ], expected [A, B]");
        node(OnnxOp.SOFTMAX, List.of("a"), Map.of("axes", 1L), "Softmax says axes=1, expected one of [axis]");
        node(OnnxOp.SOFTMAX, List.of("a"), Map.of("axis", 1.5), "Softmax says axis=1.5, expected INT");
        node(OnnxOp.CONCAT, List.of("a", "b"), Map.of(), "Concat does not say its axis");
        assertThatThrownBy(() -> new OnnxNode(OnnxOp.ADD, List.of("a", "b"), List.of("c", "d"), Map.of()))
                .hasMessage("Add has 2 results, expected 1");
        assertThat(new OnnxNode(OnnxOp.RESIZE, List.of("x", "", "s"), List.of("y"), Map.of()).in())
                .hasSize(3);
    }

    private static void node(OnnxOp op, List<String> in, Map<String, Object> attributes, String why) {
        assertThatThrownBy(() -> new OnnxNode(op, in, List.of("out"), attributes))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(why);
    }

    @Test
    void a_model_whose_values_are_used_before_they_are_made_is_refused() {
        OnnxBuilder builder = new OnnxBuilder();
        builder.input("x", Dtype.F32, Shape.ofSamples());
        builder.add(OnnxOp.ADD, "x", "y");
        assertThatThrownBy(() -> builder.model(Map.of()))
                .hasMessageContaining("Add uses y, expected one that is there");
        builder.input("x", Dtype.F32, Shape.ofSamples());
        assertThatThrownBy(() -> builder.model(Map.of())).hasMessageContaining("two values are named \"x\"");
    }
}
