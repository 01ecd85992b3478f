package dev.retort.export;

import dev.retort.graph.Node;
import dev.retort.graph.Shape;
import dev.retort.graph.Size;
import dev.retort.torch.Dtype;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Each {@link dev.retort.graph.Op} in TorchScript: an operator of ATen that computes the same, or several. */
final class TorchScriptOps {
    /** How many samples there are. */
    static final String BATCH = "_n";

    private TorchScriptOps() {}

    /**
     * The expression that computes a node.
     *
     * @param in what its operands are called
     */
    static String expression(Node node, List<String> in) {
        String x = in.get(0);
        String y = in.size() > 1 ? in.get(1) : "None";
        String z = in.size() > 2 ? in.get(2) : "None";
        return switch (node.op()) {
            case LINEAR -> call("linear", x, y, z);
            case LINEAR_GELU_TANH -> gelu(call("linear", x, y, z), "tanh");
            case CONV2D -> call("conv2d", x, y, z, twice(node.whole("stride")), twice(node.whole("padding")));
            case MATMUL -> call("matmul", x, y);
            case EMBEDDING -> call("embedding", x, y);
            case ATTENTION ->
                attention(
                        x,
                        y,
                        z,
                        in.size() > 3 ? in.get(3) : "None",
                        node.number("scale"),
                        node.out().shape());
            case SELF_ATTENTION -> selfAttention(node, x);
            case LAYER_NORM -> layerNorm(node, x);
            case RMS_NORM -> rmsNorm(node, x, y);
            case MODULATED_NORM ->
                call("addcmul", y, in.size() > 3 ? rmsNorm(node, x, in.get(3)) : layerNorm(node, x), z);
            case GROUP_NORM -> call("group_norm", x, whole(node, "groups"), y, z, number(node, "eps"));
            case BATCH_NORM ->
                call("batch_norm", x, y, z, in.get(3), in.get(4), "False", "0.0", number(node, "eps"), "False");
            case SILU -> call("silu", x);
            case RELU -> call("relu", x);
            case GELU -> gelu(x, "none");
            case GELU_TANH -> gelu(x, "tanh");
            case TANH -> call("tanh", x);
            case EXP -> call("exp", x);
            case COS -> call("cos", x);
            case SIN -> call("sin", x);
            case SQUARE -> call("square", x);
            case SOFTMAX -> call("softmax", x, "-1");
            case LOG_SOFTMAX -> call("log_softmax", x, "-1");
            case ADD -> call("add", x, y);
            case SUB -> call("sub", x, y);
            case MUL -> call("mul", x, y);
            case DIV -> call("div", x, y);
            case ADD_SCALED -> call("add", x, y, "alpha=" + number(node, "factor"));
            case ADDCMUL -> call("addcmul", x, y, z);
            case WHERE -> call("where", x, y, z);
            case ADD_NUMBER ->
                call("add", x, floating(node) ? number(node, "term") : Long.toString((long) node.number("term")));
            case MUL_NUMBER -> call("mul", x, number(node, "factor"));
            case CLAMP -> call("clamp", x, number(node, "low"), number(node, "high"));
            case GREATER -> call("gt", x, number(node, "threshold"));
            case CAST -> cast(x, node.type("type"), node);
            case RESHAPE -> call("reshape", x, sizes(node.shape("shape").sizes()));
            case PERMUTE -> call("permute", x, Arrays.toString(node.wholes("order")));
            case SLICE ->
                call(
                        "slice",
                        x,
                        whole(node, "dim"),
                        size(node.size("start")),
                        size(node.size("end")),
                        whole(node, "step"));
            case SELECT -> call("select", x, whole(node, "dim"), whole(node, "index"));
            case INDEX_SELECT -> call("index_select", x, whole(node, "dim"), y);
            case PICK_ROWS -> pickRows(x, y, node.out().shape().size(1));
            case ARG_MAX -> call("argmax", x, whole(node, "dim"));
            case CONCAT -> call("cat", in.toString(), whole(node, "dim"));
            case PAD -> call("constant_pad_nd", x, Arrays.toString(node.wholes("amounts")), "0");
            case MAX_POOL -> call("max_pool2d", x, twice(node.whole("window")), twice(node.whole("stride")));
            case AVERAGE_POOL ->
                call(
                        "adaptive_avg_pool2d",
                        x,
                        List.of(node.whole("rows"), node.whole("cols")).toString());
            case DOUBLE_SIZE ->
                call("upsample_nearest2d", x, sizes(node.out().shape().sizes().subList(2, 4)));
            case MEAN -> call("mean", x, "[" + whole(node, "dim") + "]", flag(node, "keep"));
            case SUM -> call("sum", x, "[" + whole(node, "dim") + "]", flag(node, "keep"));
        };
    }

    /** A number as TorchScript reads it, to the last digit. */
    static String number(double value) {
        return Double.isFinite(value)
                ? Double.toString(value)
                : "float(\"" + Double.toString(value).replace("Infinity", "inf") + "\")";
    }

    /** A call of an operator of ATen. */
    static String call(String operator, String... arguments) {
        return "torch." + operator + "(" + String.join(", ", arguments) + ")";
    }

    private static String gelu(String x, String approximate) {
        return call("gelu", x, "approximate=\"" + approximate + "\"");
    }

    private static String layerNorm(Node node, String x) {
        Size last = node.in().get(0).shape().size(-1);
        return call("layer_norm", x, sizes(List.of(last)), "None", "None", number(node, "eps"));
    }

    private static String rmsNorm(Node node, String x, String weight) {
        String wide = cast(x, dev.retort.io.Dtype.F32, node);
        String mean = call("mean", call("square", wide), "[-1]", "True");
        return call("mul", call("mul", wide, call("rsqrt", call("add", mean, number(node, "eps")))), weight);
    }

    /** q, k and v by heads from one projection, as {@link dev.retort.graph.Op#SELF_ATTENTION} says they lie in it. */
    private static String selfAttention(Node node, String joint) {
        Shape shape = node.in().get(0).shape();
        long heads = node.whole("heads");
        Size each = Size.of(shape.size(2).whole() / (3 * heads));
        String split = sizes(List.of(shape.size(0), shape.size(1), Size.of(3), Size.of(heads), each));
        String parts = call("permute", call("reshape", joint, split), "[2, 0, 3, 1, 4]");
        return attention(
                call("select", parts, "0", "0"),
                call("select", parts, "0", "1"),
                call("select", parts, "0", "2"),
                "None",
                node.number("scale"),
                node.out().shape());
    }

    private static String attention(String q, String k, String v, String mask, double scale, Shape result) {
        String mixed = call("scaled_dot_product_attention", q, k, v, mask, "0.0", "False", "scale=" + number(scale));
        return call("reshape", call("permute", mixed, "[0, 2, 1, 3]"), sizes(result.sizes()));
    }

    private static String pickRows(String x, String index, Size width) {
        String each = call("reshape", index, "[-1, 1, 1]");
        String everywhere = call("expand", each, "[-1, 1, " + size(width) + "]");
        return call("squeeze", call("gather", x, "1", everywhere), "1");
    }

    private static String cast(String x, dev.retort.io.Dtype type, Node node) {
        int code = Dtype.of(type)
                .orElseThrow(() -> new IllegalArgumentException(node.op() + " makes " + type
                        + ", which cannot be written as TorchScript: libtorch does not compute with it"))
                .code();
        return call("to", x, "dtype=" + code);
    }

    private static boolean floating(Node node) {
        return node.in().get(0).type().floating();
    }

    private static String twice(long number) {
        return List.of(number, number).toString();
    }

    private static String whole(Node node, String attribute) {
        return Long.toString(node.whole(attribute));
    }

    private static String number(Node node, String attribute) {
        return number(node.number(attribute));
    }

    private static String flag(Node node, String attribute) {
        return node.flag(attribute) ? "True" : "False";
    }

    private static String sizes(List<Size> sizes) {
        return sizes.stream().map(TorchScriptOps::size).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String size(Size size) {
        return size.perSample() == 0
                ? Long.toString(size.fixed())
                : size.fixed() + " + " + size.perSample() + " * " + BATCH;
    }
}
