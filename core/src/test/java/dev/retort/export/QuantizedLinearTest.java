package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.Plain;
import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Shape;
import dev.retort.graph.Value;
import dev.retort.graph.Weight;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.onnx.OnnxFile;
import dev.retort.onnx.OnnxWriter;
import dev.retort.onnx.StepIndex;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A product with weights of 8 bits, in the spellings that ONNX Runtime computes in whole numbers, beside the same sums in plain Java. */
class QuantizedLinearTest {
    private static final int ROWS = 6;
    private static final int IN = 32;
    private static final int OUT = 16;

    @TempDir
    Path folder;

    private final float[] x = normal(0, 3 * ROWS * IN);
    private final byte[] weight = new byte[OUT * IN];
    private final float[] scale = new float[OUT];
    private final float[] bias = normal(2, OUT);

    QuantizedLinearTest() {
        float[] drawn = normal(1, OUT * IN);
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (byte) Math.max(-64, Math.min(64, Math.round(25 * drawn[i])));
        }
        for (int o = 0; o < OUT; o++) {
            scale[o] = 0.01f + 0.001f * o;
        }
    }

    private static float[] normal(int place, int count) {
        float[] values = new float[count];
        Rng.at(5, Purpose.DATA, place, 0).fillGaussian(values);
        return values;
    }

    @Test
    void without_ranges_each_row_is_quantised_by_its_own_magnitude_whatever_lies_beside_it() {
        Path file = write(true, StepIndex.ANY, Map.of());
        Path optimized = folder.resolve("optimized.onnx");
        try (OnnxSession session = OnnxSession.open(file, optimized)) {
            float[] all = session.run(Map.of("x", x)).get("output");
            assertThat(Plain.error(all, byRow())).isLessThan(1e-5);
            float[] alone =
                    session.run(Map.of("x", Arrays.copyOf(x, ROWS * IN))).get("output");
            assertThat(alone).containsExactly(Arrays.copyOf(all, ROWS * OUT));
            assertThat(session.run(Map.of("x", new float[ROWS * IN])).get("output"))
                    .startsWith(bias);
        }
        assertThat(OnnxFile.read(optimized).operators())
                .containsEntry("com.microsoft.MatMulIntegerToFloat", 1)
                .doesNotContainKeys("MatMul", "DequantizeLinear");
    }

    @Test
    void with_a_range_for_each_step_that_of_the_step_is_taken() {
        Map<String, float[]> ranges =
                Map.of("fc.input_scale", new float[] {0.03f, 0.02f}, "fc.input_zero_point", new float[] {120, 128});
        Path given = write(true, StepIndex.in("step", 2), ranges);
        for (int step = 0; step < 2; step++) {
            float[] expected = product(step == 0 ? 0.03f : 0.02f, step == 0 ? 120 : 128, true);
            try (OnnxSession session = OnnxSession.open(given)) {
                float[] there =
                        session.run(Map.of("x", x, "step", new long[] {step})).get("output");
                assertThat(Plain.error(there, expected)).isLessThan(1e-5);
            }
            Path optimized = folder.resolve("optimized.onnx");
            try (OnnxSession session = OnnxSession.open(write(true, StepIndex.at(step, 2), ranges), optimized)) {
                assertThat(Plain.error(session.run(Map.of("x", x)).get("output"), expected))
                        .isLessThan(1e-5);
            }
            assertThat(OnnxFile.read(optimized).operators())
                    .containsOnlyKeys("QuantizeLinear", "com.microsoft.MatMulIntegerToFloat");
            assertThat(OnnxFile.read(given).opsets()).containsEntry("com.microsoft", 1L);
        }
    }

    @Test
    void a_product_without_a_bias_is_fused_as_well() {
        Path optimized = folder.resolve("optimized.onnx");
        Map<String, float[]> range =
                Map.of("fc.input_scale", new float[] {0.03f}, "fc.input_zero_point", new float[] {120});
        try (OnnxSession session = OnnxSession.open(write(false, StepIndex.ANY, range), optimized)) {
            float[] there = session.run(Map.of("x", x)).get("output");
            assertThat(Plain.error(there, product(0.03f, 120, false))).isLessThan(1e-5);
        }
        assertThat(OnnxFile.read(optimized).operators())
                .containsOnlyKeys("QuantizeLinear", "com.microsoft.MatMulIntegerToFloat");
    }

    @Test
    void ranges_that_do_not_fit_are_refused_by_name() {
        refused(Map.of("fc.input_scale", new float[] {1, 2}), "there is no input_zero_point beside it");
        refused(
                Map.of("fc.input_scale", new float[] {1}, "fc.input_zero_point", new float[] {-3}),
                "fc.weight has an input_zero_point of -3.0, expected a whole number from 0 to 255");
        refused(
                Map.of("fc.input_scale", new float[] {1, 2}, "fc.input_zero_point", new float[] {3, 4}),
                "fc.input_scale has 2 numbers, expected one, since the network may be called at any step");
    }

    private void refused(Map<String, float[]> beside, String why) {
        assertThatThrownBy(() -> write(true, StepIndex.ANY, beside)).hasMessageContaining(why);
    }

    private Path write(boolean biased, StepIndex step, Map<String, float[]> beside) {
        Value input = new Value("x", Dtype.F32, Shape.ofSamples(ROWS, IN));
        Value w = new Value("fc.weight", Dtype.F32, Shape.of(OUT, IN));
        Value b = new Value("fc.bias", Dtype.F32, Shape.of(OUT));
        Value y = new Value("y", Dtype.F32, Shape.ofSamples(ROWS, OUT));
        List<Value> operands = biased ? List.of(input, w, b) : List.of(input, w);
        Graph graph = new Graph(
                List.of(input),
                operands.subList(1, operands.size()).stream()
                        .map(value -> new Weight(value, true))
                        .toList(),
                List.of(),
                List.of(new Node(Op.LINEAR, operands, y, Map.of())),
                List.of(y));
        SafetensorsWriter writer = new SafetensorsWriter()
                .add("fc.weight", Dtype.I8, new long[] {OUT, IN}, () -> ByteBuffer.wrap(weight))
                .add("fc.weight_scale", new long[] {OUT}, scale)
                .add("fc.bias", new long[] {OUT}, bias);
        new LinkedHashMap<>(beside).forEach((name, values) -> writer.add(name, new long[] {values.length}, values));
        Path weights = folder.resolve("weights.safetensors");
        Path file = folder.resolve("linear" + System.nanoTime() + ".onnx");
        writer.write(weights);
        try (TensorFile stored = TensorFiles.open(weights)) {
            OnnxWriter.write(file, OnnxFiles.of(graph, stored, step), OnnxWriter.MOST_INSIDE);
        }
        return file;
    }

    /** Of rows each rounded to 127 levels on both sides of zero. */
    private float[] byRow() {
        float[] y = new float[x.length / IN * OUT];
        for (int row = 0; row < x.length / IN; row++) {
            float largest = 0;
            for (int i = 0; i < IN; i++) {
                largest = Math.max(largest, Math.abs(x[row * IN + i]));
            }
            product(row, largest / 127, 128, true, y);
        }
        return y;
    }

    private float[] product(float step, int zero, boolean biased) {
        float[] y = new float[x.length / IN * OUT];
        for (int row = 0; row < x.length / IN; row++) {
            product(row, step, zero, biased, y);
        }
        return y;
    }

    /** A row in doubles, of activations rounded to unsigned bytes, ties to even. */
    private void product(int row, float step, int zero, boolean biased, float[] y) {
        for (int o = 0; o < OUT; o++) {
            long sum = 0;
            for (int i = 0; i < IN; i++) {
                long q = Math.max(0, Math.min(255, (long) Math.rint(x[row * IN + i] / step) + zero));
                sum += (q - zero) * weight[o * IN + i];
            }
            y[row * OUT + o] = (float) ((double) sum * step * scale[o] + (biased ? bias[o] : 0));
        }
    }
}
