package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Plain;
import dev.retort.graph.Constant;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Shape;
import dev.retort.graph.Size;
import dev.retort.graph.Value;
import dev.retort.graph.Weight;
import dev.retort.io.Dtype;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorFiles;
import dev.retort.model.Weights;
import dev.retort.onnx.OnnxWriter;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each op by itself, written to ONNX and run by ONNX Runtime for batches of two sizes, beside libtorch. */
class EveryOpTest {
    private static final Map<Op, List<Node>> NODES = new EnumMap<>(Op.class);

    static {
        Shape x = n(6, 8);
        one(Op.LINEAR, n(6, 4), x, Shape.of(4, 8), Shape.of(4));
        one(Op.LINEAR, n(4), n(8), Shape.of(4, 8));
        one(Op.LINEAR_GELU_TANH, n(6, 4), x, Shape.of(4, 8), Shape.of(4));
        one(Op.CONV2D, Map.of("stride", 2L, "padding", 1L), n(5, 4, 3), n(2, 8, 6), Shape.of(5, 2, 3, 3), Shape.of(5));
        one(Op.CONV2D, Map.of("stride", 1L, "padding", 0L), n(5, 6, 4), n(2, 8, 6), Shape.of(5, 2, 3, 3));
        one(Op.MATMUL, n(2, 3, 5), n(2, 3, 4), n(2, 4, 5));
        one(Op.EMBEDDING, n(3, 8), Shape.of(7, 8), n(3));
        one(Op.ATTENTION, Map.of("scale", 0.5), n(5, 8), n(2, 5, 4), n(2, 3, 4), n(2, 3, 4));
        one(Op.ATTENTION, Map.of("scale", 1.0), n(5, 8), n(2, 5, 4), n(2, 3, 4), n(2, 3, 4), Shape.of(5, 3));
        one(Op.SELF_ATTENTION, Map.of("heads", 2L, "scale", 0.5), n(5, 8), n(5, 24));
        one(Op.LAYER_NORM, Map.of("eps", 1e-5), x, x);
        one(Op.RMS_NORM, Map.of("eps", 1e-5), x, x, Shape.of(8));
        one(Op.MODULATED_NORM, Map.of("eps", 1e-5), x, x, n(1, 8), n(1, 8));
        one(Op.MODULATED_NORM, Map.of("eps", 1e-5), x, x, n(1, 8), n(1, 8), Shape.of(8));
        one(Op.GROUP_NORM, Map.of("groups", 2L, "eps", 1e-5), n(4, 3, 5), n(4, 3, 5), Shape.of(4), Shape.of(4));
        one(
                Op.BATCH_NORM,
                Map.of("eps", 1e-5),
                n(4, 3, 5),
                n(4, 3, 5),
                Shape.of(4),
                Shape.of(4),
                Shape.of(4),
                Shape.of(4));
        for (Op op : List.of(
                Op.SILU,
                Op.RELU,
                Op.GELU,
                Op.GELU_TANH,
                Op.TANH,
                Op.EXP,
                Op.COS,
                Op.SIN,
                Op.SQUARE,
                Op.SOFTMAX,
                Op.LOG_SOFTMAX)) {
            one(op, x, x);
        }
        for (Op op : List.of(Op.ADD, Op.SUB, Op.MUL, Op.DIV)) {
            one(op, x, x, Shape.of(6, 1));
        }
        one(Op.ADD_SCALED, Map.of("factor", -0.3), x, x, Shape.of(8));
        one(Op.ADDCMUL, x, x, n(1, 8), x);
        one(Op.WHERE, x, n(6, 1), x, Shape.of(8));
        one(Op.ADD_NUMBER, Map.of("term", 0.7), x, x);
        one(Op.MUL_NUMBER, Map.of("factor", -1.5), x, x);
        one(Op.CLAMP, Map.of("low", -0.4, "high", 0.3), x, x);
        one(Op.GREATER, Map.of("threshold", 0.2), x, x);
        one(Op.CAST, Map.of("type", Dtype.I64), x, x);
        one(Op.RESHAPE, Map.of("shape", n(2, 24)), n(2, 24), x);
        one(Op.RESHAPE, Map.of("shape", new Shape(List.of(new Size(0, 6), Size.of(8)))), rows(6, 8), x);
        one(
                Op.PERMUTE,
                Map.of("order", List.of(2L, 0L, 1L)),
                new Shape(List.of(Size.of(8), new Size(0, 1), Size.of(6))),
                x);
        one(Op.SLICE, Map.of("dim", 2L, "start", Size.of(1), "end", Size.of(8), "step", 3L), n(6, 3), x);
        one(Op.SLICE, Map.of("dim", 0L, "start", new Size(0, 1), "end", new Size(0, 2), "step", 1L), n(8), rows(2, 8));
        one(Op.SELECT, Map.of("dim", 1L, "index", 2L), n(8), x);
        one(Op.INDEX_SELECT, Map.of("dim", 1L), n(3, 8), x, Shape.of(3));
        one(Op.PICK_ROWS, n(8), n(7, 8), n());
        one(Op.ARG_MAX, Map.of("dim", 1L), n(8), x);
        one(Op.ARG_MAX, Map.of("dim", 1L), n(8), n(1, 8));
        one(Op.CONCAT, Map.of("dim", 1L), n(11, 8), x, n(2, 8), n(3, 8));
        one(Op.PAD, Map.of("amounts", List.of(1L, 2L, 0L, 3L)), n(9, 11), x);
        one(Op.MAX_POOL, Map.of("window", 3L, "stride", 2L), n(2, 2, 3), n(2, 6, 8));
        one(Op.AVERAGE_POOL, Map.of("rows", 2L, "cols", 4L), n(2, 2, 4), n(2, 6, 8));
        one(Op.AVERAGE_POOL, Map.of("rows", 4L, "cols", 3L), n(2, 4, 3), n(2, 6, 8));
        one(Op.DOUBLE_SIZE, n(2, 12, 16), n(2, 6, 8));
        one(Op.MEAN, Map.of("dim", 1L, "keep", true), n(1, 8), x);
        one(Op.MEAN, Map.of("dim", 2L, "keep", false), n(6), x);
        one(Op.SUM, Map.of("dim", 1L, "keep", false), n(8), x);
        one(Op.SUM, Map.of("dim", 0L, "keep", true), Shape.of(1, 6, 8), x);
    }

    @TempDir
    Path folder;

    private static Shape n(long... sizes) {
        return Shape.ofSamples(sizes);
    }

    private static Shape rows(long perSample, long width) {
        return new Shape(List.of(new Size(0, perSample), Size.of(width)));
    }

    private static void one(Op op, Shape out, Shape... in) {
        one(op, Map.of(), out, in);
    }

    private static void one(Op op, Map<String, Object> attributes, Shape out, Shape... in) {
        List<Value> operands = new ArrayList<>();
        for (int i = 0; i < in.length; i++) {
            operands.add(new Value("in" + i, type(op, i), in[i]));
        }
        Dtype type = op == Op.GREATER ? Dtype.BOOL : op == Op.CAST || op == Op.ARG_MAX ? Dtype.I64 : Dtype.F32;
        NODES.computeIfAbsent(op, key -> new ArrayList<>())
                .add(new Node(op, operands, new Value("out", type, out), attributes));
    }

    private static Dtype type(Op op, int operand) {
        boolean index = (op == Op.EMBEDDING || op == Op.INDEX_SELECT || op == Op.PICK_ROWS) && operand == 1;
        return index ? Dtype.I64 : op == Op.WHERE && operand == 0 ? Dtype.BOOL : Dtype.F32;
    }

    @ParameterizedTest
    @EnumSource
    void onnx_runtime_computes_each_op_as_libtorch_does(Op op) {
        for (Node node : NODES.get(op)) {
            Graph graph = graph(node);
            Path weights = folder.resolve("weights.safetensors");
            SafetensorsWriter writer = new SafetensorsWriter();
            graph.weights().forEach(weight -> {
                long[] shape = weight.value().shape().at(1);
                writer.add(weight.value().name(), shape, positive((int)
                        weight.value().shape().elements(1)));
            });
            writer.write(weights);
            Path file = folder.resolve("op.onnx");
            try (TensorFile stored = TensorFiles.open(weights)) {
                OnnxWriter.write(file, OnnxFiles.of(graph, stored), OnnxWriter.MOST_INSIDE);
                assertAgree(graph, stored, file);
            }
        }
    }

    /** What the batch changes is an input, whole numbers are a constant, all else is a weight; results are fp32 in the end. */
    private static Graph graph(Node node) {
        List<Value> inputs = new ArrayList<>(List.of(new Value("batch", Dtype.F32, n())));
        List<Weight> weights = new ArrayList<>();
        List<Constant> constants = new ArrayList<>();
        List<Node> nodes = new ArrayList<>();
        for (Value operand : node.in()) {
            if (operand.type() == Dtype.BOOL) {
                Value x = new Value("compared", Dtype.F32, operand.shape());
                inputs.add(x);
                nodes.add(new Node(Op.GREATER, List.of(x), operand, Map.of("threshold", 0.1)));
            } else if (operand.shape().rank() > 0 && operand.shape().size(0).perSample() > 0) {
                inputs.add(operand);
            } else if (operand.type() == Dtype.I64) {
                constants.add(new Constant(operand, new double[] {2, 0, 5}));
            } else {
                weights.add(new Weight(operand, true));
            }
        }
        nodes.add(node);
        Value out = node.out();
        if (out.type() != Dtype.F32) {
            Value wide = new Value("wide", Dtype.F32, out.shape());
            nodes.add(new Node(Op.CAST, List.of(out), wide, Map.of("type", Dtype.F32)));
            out = wide;
        }
        return new Graph(inputs, weights, constants, nodes, List.of(out));
    }

    private static void assertAgree(Graph graph, TensorFile stored, Path file) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                OnnxSession session = OnnxSession.open(file)) {
            Map<String, Tensor> weights = new HashMap<>();
            stored.entries().keySet().forEach(name -> weights.put(name, Weights.tensor(stored, name, Device.CPU)));
            for (int batch : new int[] {2, 3}) {
                Map<String, Object> inputs = new LinkedHashMap<>();
                List<Tensor> tensors = new ArrayList<>();
                for (Value input : graph.inputs()) {
                    int count = (int) input.shape().elements(batch);
                    long[] shape = input.shape().at(batch);
                    if (input.type() == Dtype.I64) {
                        long[] places =
                                LongStream.range(0, count).map(i -> i % 7).toArray();
                        inputs.put(input.name(), places);
                        tensors.add(Ops.reshape(Tensors.of(places, Device.CPU), shape));
                    } else {
                        float[] values = wave(count);
                        inputs.put(input.name(), values);
                        tensors.add(Tensors.of(values, Device.CPU, shape));
                    }
                }
                float[] expected = Tensors.floats(
                        new GraphReplay(graph, weights, Device.CPU).run(tensors.toArray(Tensor[]::new))[0]);
                float[] there = session.run(inputs).get("output");
                assertThat(there).hasSameSizeAs(expected);
                assertThat(Plain.error(there, expected)).isLessThan(1e-6);
            }
        }
    }

    private static float[] wave(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) Math.sin(0.37 * i + 0.2);
        }
        return values;
    }

    private static float[] positive(int count) {
        float[] values = wave(count);
        for (int i = 0; i < count; i++) {
            values[i] = 0.5f + 0.4f * values[i];
        }
        return values;
    }
}
