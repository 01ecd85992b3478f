package dev.retort.torch;

import dev.retort.graph.Constant;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Computes what a {@link Graph} says by {@link Ops}, for any batch size. */
public final class GraphReplay {
    /** How x·weightᵀ + bias is computed. */
    @FunctionalInterface
    public interface Product {
        /**
         * The product.
         *
         * @param name of the weight in the graph
         * @param bias or null
         */
        Tensor of(String name, Tensor x, Tensor weight, Tensor bias);
    }

    private final Graph graph;
    private final Map<String, Tensor> weights;
    private final Device device;
    private final Product product;

    /**
     * A graph with the weights of a network.
     *
     * @param weights under their names in checkpoints; those that the graph does not use are not looked at
     * @param device where weights and inputs live
     */
    public GraphReplay(Graph graph, Map<String, Tensor> weights, Device device) {
        this(graph, weights, device, (name, x, weight, bias) -> Ops.linear(x, weight, bias));
    }

    /** The same with products of another kind. */
    public GraphReplay(Graph graph, Map<String, Tensor> weights, Device device, Product product) {
        this.graph = graph;
        this.weights = weights;
        this.device = device;
        this.product = product;
    }

    /** From the inputs, in the graph's order, to its outputs; these and all between them belong to the caller's scope. */
    public Tensor[] run(Tensor... inputs) {
        if (inputs.length != graph.inputs().size()) {
            throw new IllegalArgumentException(
                    inputs.length + " inputs are given, expected those of " + graph.inputs());
        }
        long batch = inputs.length == 0 ? 1 : inputs[0].size(0);
        Map<Value, Tensor> tensors = new HashMap<>();
        for (int i = 0; i < inputs.length; i++) {
            tensors.put(graph.inputs().get(i), inputs[i]);
        }
        graph.weights()
                .forEach(weight ->
                        tensors.put(weight.value(), weights.get(weight.value().name())));
        graph.constants().forEach(constant -> tensors.put(constant.value(), tensor(constant, device)));
        for (Node node : graph.nodes()) {
            tensors.put(
                    node.out(),
                    compute(node, node.in().stream().map(tensors::get).toList(), batch));
        }
        return graph.outputs().stream().map(tensors::get).toArray(Tensor[]::new);
    }

    /** The numbers of a constant as a tensor. */
    public static Tensor tensor(Constant constant, Device device) {
        double[] numbers = constant.numbers();
        Dtype type = Dtype.of(constant.value().type()).orElseThrow();
        Tensor flat = type == Dtype.I64
                ? Tensors.of(
                        Arrays.stream(numbers)
                                .mapToLong(number -> (long) number)
                                .toArray(),
                        device)
                : type.cast(Tensors.of(numbers, device));
        return Ops.reshape(flat, constant.value().shape().at(1));
    }

    private Tensor compute(Node node, List<Tensor> in, long batch) {
        Tensor x = in.get(0);
        Tensor y = in.size() > 1 ? in.get(1) : null;
        Tensor z = in.size() > 2 ? in.get(2) : null;
        return switch (node.op()) {
            case LINEAR -> product.of(node.in().get(1).name(), x, y, z);
            case LINEAR_GELU_TANH -> Ops.geluTanh(product.of(node.in().get(1).name(), x, y, z));
            case CONV2D -> Ops.conv2d(x, y, z, node.whole("stride"), node.whole("padding"));
            case MATMUL -> Ops.matmul(x, y);
            case EMBEDDING -> Ops.embedding(x, y);
            case ATTENTION -> Ops.attention(x, y, z, in.size() > 3 ? in.get(3) : null, node.number("scale"));
            case SELF_ATTENTION -> Ops.attention(x, Math.toIntExact(node.whole("heads")), node.number("scale"));
            case LAYER_NORM -> Ops.layerNorm(x, node.number("eps"));
            case RMS_NORM -> Ops.rmsNorm(x, y, node.number("eps"));
            case MODULATED_NORM -> Ops.modulatedNorm(x, in.size() > 3 ? in.get(3) : null, y, z, node.number("eps"));
            case GROUP_NORM -> Ops.groupNorm(x, node.whole("groups"), y, z, node.number("eps"));
            case BATCH_NORM -> Ops.batchNorm(x, y, z, in.get(3), in.get(4), false, 0, node.number("eps"));
            case SILU -> Ops.silu(x);
            case RELU -> Ops.relu(x);
            case GELU -> Ops.gelu(x);
            case GELU_TANH -> Ops.geluTanh(x);
            case TANH -> Ops.tanh(x);
            case EXP -> Ops.exp(x);
            case COS -> Ops.cos(x);
            case SIN -> Ops.sin(x);
            case SQUARE -> Ops.square(x);
            case SOFTMAX -> Ops.softmax(x);
            case LOG_SOFTMAX -> Ops.logSoftmax(x);
            case ADD -> Ops.add(x, y);
            case SUB -> Ops.sub(x, y);
            case MUL -> Ops.mul(x, y);
            case DIV -> Ops.div(x, y);
            case ADD_SCALED -> Ops.addScaled(x, y, node.number("factor"));
            case ADDCMUL -> Ops.addcmul(x, y, z);
            case WHERE -> Ops.where(x, y, z);
            case ADD_NUMBER ->
                x.is_floating_point() ? Ops.add(x, node.number("term")) : Ops.addInteger(x, (long) node.number("term"));
            case MUL_NUMBER -> Ops.mul(x, node.number("factor"));
            case CLAMP -> Ops.clamp(x, node.number("low"), node.number("high"));
            case GREATER -> Ops.greater(x, node.number("threshold"));
            case CAST -> Dtype.of(node.type("type")).orElseThrow().cast(x);
            case RESHAPE -> Ops.reshape(x, node.shape("shape").at(batch));
            case PERMUTE -> Ops.permute(x, node.wholes("order"));
            case SLICE ->
                Ops.slice(
                        x,
                        node.whole("dim"),
                        node.size("start").at(batch),
                        node.size("end").at(batch),
                        node.whole("step"));
            case SELECT -> Ops.select(x, node.whole("dim"), node.whole("index"));
            case INDEX_SELECT -> Ops.indexSelect(x, node.whole("dim"), y);
            case PICK_ROWS -> Ops.pickRows(x, y);
            case ARG_MAX -> Ops.argMax(x, node.whole("dim"));
            case CONCAT -> Ops.cat(node.whole("dim"), in.toArray(Tensor[]::new));
            case PAD -> Ops.padZeros(x, node.wholes("amounts"));
            case MAX_POOL -> Ops.maxPool(x, node.whole("window"), node.whole("stride"));
            case AVERAGE_POOL -> Ops.adaptiveAveragePool(x, node.whole("rows"), node.whole("cols"));
            case DOUBLE_SIZE -> Ops.doubleSize(x);
            case MEAN -> Ops.mean(x, node.whole("dim"), node.flag("keep"));
            case SUM -> Ops.sum(x, node.whole("dim"), node.flag("keep"));
        };
    }
}
