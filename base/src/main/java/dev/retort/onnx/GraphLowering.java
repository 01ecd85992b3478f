package dev.retort.onnx;

import dev.retort.graph.Constant;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.graph.Shape;
import dev.retort.graph.Size;
import dev.retort.graph.Value;
import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Writes what a {@link Graph} computes as nodes of an ONNX model, for any batch, op by op in the spelling for which ONNX Runtime has a kernel or a
 * fusion. A graph may be written several times into one model, as the steps of a sampler are: its weights are in the file once.
 */
public final class GraphLowering {
    private final OnnxBuilder builder;
    private final StoredWeights weights;
    private final Map<Constant, String> constants = new HashMap<>();

    /**
     * @param weights under the names that graphs call them; open until the model is written. Matrices of type I8 are quantised, with {@code X.weight_scale} and
     *     perhaps {@code X.input_scale} and {@code X.input_zero_point} beside {@code X.weight}
     * @param matrices type in which the file holds what has two dimensions or more: F32, or F16, which is widened when it is opened
     */
    public GraphLowering(OnnxBuilder builder, TensorFile weights, Dtype matrices) {
        if (matrices != Dtype.F32 && matrices != Dtype.F16) {
            throw new IllegalArgumentException("matrices are to be " + matrices + ", expected F32 or F16");
        }
        this.builder = builder;
        this.weights = new StoredWeights(weights, matrices);
    }

    /**
     * Adds the nodes of a graph.
     *
     * @param inputs names of the values in the model that its inputs are
     * @param step which step of a sampler this is
     * @return names of what its nodes make, by the names of the graph's values
     */
    public Map<String, String> lower(Graph graph, List<String> inputs, StepIndex step) {
        return new Writing(graph, inputs, step).all();
    }

    /** One graph on its way. */
    private final class Writing {
        private final Graph graph;
        private final Map<String, String> names = new HashMap<>();
        private final Set<String> stored = new HashSet<>();
        private final LinearLowering linear;
        private final ShapeLowering shapes;
        private final Splits splits;

        Writing(Graph graph, List<String> inputs, StepIndex step) {
            this.graph = graph;
            if (inputs.size() != graph.inputs().size()) {
                throw new IllegalArgumentException(inputs.size() + " inputs are given, expected " + graph.inputs());
            }
            for (int i = 0; i < inputs.size(); i++) {
                names.put(graph.inputs().get(i).name(), inputs.get(i));
            }
            graph.weights().forEach(weight -> stored.add(weight.value().name()));
            graph.constants().forEach(this::constant);
            linear = new LinearLowering(builder, weights, stored, step);
            shapes = new ShapeLowering(builder, batched());
            splits = new Splits(graph);
        }

        Map<String, String> all() {
            for (Node node : graph.nodes()) {
                builder.label(place(node));
                if (!names.containsKey(node.out().name())) {
                    names.put(node.out().name(), written(node));
                }
            }
            return Map.copyOf(names);
        }

        /** An input whose first dimension is the batch; none where there is none. */
        private String batched() {
            Size batch = Shape.ofSamples().size(0);
            return graph.inputs().stream()
                    .filter(input ->
                            input.shape().rank() > 0 && input.shape().size(0).equals(batch))
                    .map(input -> names.get(input.name()))
                    .findFirst()
                    .orElse("");
        }

        private void constant(Constant constant) {
            Value value = constant.value();
            String name = constants.computeIfAbsent(constant, first -> "constant." + constants.size());
            names.put(
                    value.name(),
                    builder.constant(
                            name,
                            value.type(),
                            constant.numbers(),
                            value.shape().at(1)));
        }

        /** Results are named after the layer whose weight they are made with, or after the op. */
        private String place(Node node) {
            return node.in().stream()
                    .map(Value::name)
                    .filter(stored::contains)
                    .map(name -> name.replaceFirst("\\.(weight|bias)$", ""))
                    .findFirst()
                    .orElse(node.op().name().toLowerCase(Locale.ROOT));
        }

        private String written(Node node) {
            Operands in = new Operands() {
                @Override
                public String get(int index) {
                    return as(index, null);
                }

                @Override
                public String as(int index, long... dims) {
                    return operand(node.in().get(index), dims);
                }
            };
            return switch (node.op()) {
                case LINEAR -> linear.of(node.in(), in);
                case LINEAR_GELU_TANH -> geluTanh(linear.of(node.in(), in));
                case CONV2D -> shapes.convolution(node, in);
                case ATTENTION -> AttentionLowering.of(builder, node, in);
                case SELF_ATTENTION -> AttentionLowering.ofJoint(builder, node, in);
                case RMS_NORM -> NormLowering.rms(builder, node, in.get(0), in.get(1));
                case MODULATED_NORM -> NormLowering.modulated(builder, node, in);
                case GROUP_NORM -> NormLowering.group(builder, node, in);
                case BATCH_NORM -> NormLowering.batch(builder, node, in);
                case LAYER_NORM -> NormLowering.layer(builder, node, in.get(0));
                case SLICE -> sliced(node, in.get(0));
                case CONCAT -> concat(node, in);
                default -> node.in().size() == 1 ? unary(node, in.get(0)) : several(node, in);
            };
        }

        private String several(Node node, Operands in) {
            return switch (node.op()) {
                case MATMUL -> builder.add(OnnxOp.MATMUL, in.get(0), in.get(1));
                case EMBEDDING -> builder.add(OnnxOp.GATHER, Map.of("axis", 0L), in.get(0), in.get(1));
                case INDEX_SELECT ->
                    builder.add(OnnxOp.GATHER, Map.of("axis", node.whole("dim")), in.get(0), in.get(1));
                case PICK_ROWS ->
                    builder.add(
                            OnnxOp.GATHER_ND,
                            Map.of("batch_dims", 1L),
                            in.get(0),
                            builder.add(OnnxOp.RESHAPE, in.get(1), builder.wholes(0, 1)));
                case WHERE -> builder.add(OnnxOp.WHERE, in.get(0), typed(node, in, 1), typed(node, in, 2));
                case ADDCMUL ->
                    builder.add(
                            OnnxOp.ADD,
                            typed(node, in, 0),
                            builder.add(OnnxOp.MUL, typed(node, in, 1), typed(node, in, 2)));
                case ADD_SCALED -> {
                    String factor = builder.number(node.out().type(), node.number("factor"));
                    yield builder.add(
                            OnnxOp.ADD, typed(node, in, 0), builder.add(OnnxOp.MUL, typed(node, in, 1), factor));
                }
                case ADD, SUB, MUL, DIV ->
                    builder.add(OnnxOp.valueOf(node.op().name()), typed(node, in, 0), typed(node, in, 1));
                default -> throw unknown(node.op());
            };
        }

        private String unary(Node node, String x) {
            Dtype type = node.in().get(0).type();
            return switch (node.op()) {
                case SILU -> builder.add(OnnxOp.MUL, x, builder.add(OnnxOp.SIGMOID, x));
                case RELU, TANH, EXP, COS, SIN ->
                    builder.add(OnnxOp.valueOf(node.op().name()), x);
                case GELU -> builder.add(OnnxOp.GELU, x);
                case GELU_TANH -> geluTanh(x);
                case SQUARE -> builder.add(OnnxOp.MUL, x, x);
                case SOFTMAX, LOG_SOFTMAX ->
                    builder.add(OnnxOp.valueOf(node.op().name()), Map.of("axis", -1L), x);
                case ADD_NUMBER -> builder.add(OnnxOp.ADD, x, builder.number(type, node.number("term")));
                case MUL_NUMBER -> builder.add(OnnxOp.MUL, x, builder.number(type, node.number("factor")));
                case CLAMP ->
                    builder.add(
                            OnnxOp.CLIP,
                            x,
                            builder.number(type, node.number("low")),
                            builder.number(type, node.number("high")));
                case GREATER -> builder.add(OnnxOp.GREATER, x, builder.number(type, node.number("threshold")));
                case CAST -> cast(x, node.type("type"));
                case RESHAPE ->
                    builder.add(
                            OnnxOp.RESHAPE,
                            x,
                            ShapeLowering.target(builder, node.out().shape()));
                case PERMUTE -> shapes.permute(node, x);
                case SELECT -> shapes.select(node, x);
                case ARG_MAX -> builder.add(OnnxOp.ARG_MAX, Map.of("axis", node.whole("dim"), "keepdims", 0L), x);
                case PAD -> shapes.pad(node, x);
                case MAX_POOL -> shapes.maxPool(node, x);
                case AVERAGE_POOL -> shapes.averagePool(node, x);
                case DOUBLE_SIZE -> shapes.doubleSize(x);
                case MEAN -> shapes.reduce(OnnxOp.REDUCE_MEAN, node, x);
                case SUM -> shapes.reduce(OnnxOp.REDUCE_SUM, node, x);
                default -> throw unknown(node.op());
            };
        }

        private String operand(Value value, long[] dims) {
            String name = names.get(value.name());
            if (name == null) {
                return weights.as(
                        builder, value.name(), dims == null ? value.shape().at(1) : dims);
            }
            return dims == null ? name : builder.add(OnnxOp.RESHAPE, name, builder.wholes(dims));
        }

        /** An operand in the type of the result, which is the wider of its operands'. */
        private String typed(Node node, Operands in, int index) {
            Dtype type = node.out().type();
            return node.in().get(index).type() == type ? in.get(index) : cast(in.get(index), type);
        }

        private String cast(String x, Dtype type) {
            return builder.add(OnnxOp.CAST, Map.of("to", (long) OnnxType.code(type)), x);
        }

        private String geluTanh(String x) {
            return builder.add(OnnxOp.GELU, Map.of("approximate", "tanh"), x);
        }

        private String concat(Node node, Operands in) {
            List<String> parts = new ArrayList<>();
            for (int i = 0; i < node.in().size(); i++) {
                parts.add(in.get(i));
            }
            return builder.add(OnnxOp.CONCAT, Map.of("axis", node.whole("dim")), parts.toArray(String[]::new));
        }

        /** All parts of a value at once where slices cut it into pieces. */
        private String sliced(Node node, String x) {
            List<Node> pieces = splits.pieces(node);
            if (pieces.isEmpty()) {
                return shapes.slice(node, x);
            }
            long[] lengths = pieces.stream()
                    .mapToLong(piece ->
                            piece.size("end").whole() - piece.size("start").whole())
                    .toArray();
            List<String> parts = builder.add(
                    lengths.length, OnnxOp.SPLIT, Map.of("axis", node.whole("dim")), x, builder.wholes(lengths));
            for (int i = 0; i < parts.size(); i++) {
                names.put(pieces.get(i).out().name(), parts.get(i));
            }
            return names.get(node.out().name());
        }
    }

    private static IllegalArgumentException unknown(Op op) {
        return new IllegalArgumentException("nothing is written for " + op);
    }
}
