package dev.retort.onnx;

import static dev.retort.onnx.OnnxAttribute.Kind.FLOAT;
import static dev.retort.onnx.OnnxAttribute.Kind.INT;
import static dev.retort.onnx.OnnxAttribute.Kind.INTS;
import static dev.retort.onnx.OnnxAttribute.Kind.STRING;
import static dev.retort.onnx.OnnxAttribute.optional;
import static dev.retort.onnx.OnnxAttribute.required;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The operators of ONNX that are written here, as its specification states them: operands in order (an optional one ends in {@code ?}, one that
 * repeats in {@code …}), how many results, attributes, and the version of the operator set that first has them in this form. Only
 * {@link #MATMUL_INTEGER_TO_FLOAT} is ONNX Runtime's own, which has no standard spelling.
 */
public enum OnnxOp {
    ABS("Abs", 13, "X"),
    ADD("Add", 14, "A B"),
    ARG_MAX("ArgMax", 13, "data", optional("axis", INT), optional("keepdims", INT)),
    ARG_MIN("ArgMin", 13, "data", optional("axis", INT), optional("keepdims", INT)),
    AVERAGE_POOL("AveragePool", 19, "X", required("kernel_shape", INTS), optional("strides", INTS)),
    BATCH_NORMALIZATION("BatchNormalization", 15, "X scale B input_mean input_var", optional("epsilon", FLOAT)),
    CAST("Cast", 19, "input", required("to", INT)),
    CLIP("Clip", 13, "input min? max?"),
    CONCAT("Concat", 13, "inputs…", required("axis", INT)),
    CONV("Conv", 11, "X W B?", optional("strides", INTS), optional("pads", INTS)),
    COS("Cos", 7, "input"),
    DIV("Div", 14, "A B"),
    EXP("Exp", 13, "input"),
    EXPAND("Expand", 13, "input shape"),
    GATHER("Gather", 13, "data indices", optional("axis", INT)),
    GATHER_ND("GatherND", 13, "data indices", optional("batch_dims", INT)),
    GELU("Gelu", 20, "X", optional("approximate", STRING)),
    GREATER("Greater", 13, "A B"),
    IDENTITY("Identity", 19, "input"),
    INSTANCE_NORMALIZATION("InstanceNormalization", 6, "input scale B", optional("epsilon", FLOAT)),
    LAYER_NORMALIZATION("LayerNormalization", 17, "X Scale B?", optional("axis", INT), optional("epsilon", FLOAT)),
    LOG_SOFTMAX("LogSoftmax", 13, "input", optional("axis", INT)),
    MATMUL("MatMul", 13, "A B"),
    MATMUL_INTEGER_TO_FLOAT("MatMulIntegerToFloat", "A B a_scale b_scale a_zero_point? b_zero_point? bias?"),
    MAX_POOL("MaxPool", 12, "X", required("kernel_shape", INTS), optional("strides", INTS)),
    MUL("Mul", 14, "A B"),
    PAD("Pad", 19, "data pads constant_value?", optional("mode", STRING)),
    POW("Pow", 15, "X Y"),
    QUANTIZE_LINEAR("QuantizeLinear", 21, "x y_scale y_zero_point?", optional("axis", INT)),
    REDUCE_MAX("ReduceMax", 18, "data axes?", optional("keepdims", INT)),
    REDUCE_MEAN("ReduceMean", 18, "data axes?", optional("keepdims", INT)),
    REDUCE_SUM("ReduceSum", 13, "data axes?", optional("keepdims", INT)),
    RELU("Relu", 14, "X"),
    RESHAPE("Reshape", 21, "data shape"),
    RESIZE(
            "Resize",
            19,
            "X roi? scales? sizes?",
            optional("mode", STRING),
            optional("coordinate_transformation_mode", STRING),
            optional("nearest_mode", STRING)),
    SHAPE("Shape", 21, "data", optional("start", INT), optional("end", INT)),
    SIGMOID("Sigmoid", 13, "X"),
    SIN("Sin", 7, "input"),
    SLICE("Slice", 13, "data starts ends axes? steps?"),
    SOFTMAX("Softmax", 13, "input", optional("axis", INT)),
    SPLIT("Split", 18, Integer.MAX_VALUE, "input split?", optional("axis", INT), optional("num_outputs", INT)),
    SQRT("Sqrt", 13, "X"),
    SUB("Sub", 14, "A B"),
    TANH("Tanh", 13, "input"),
    TOP_K("TopK", 11, 2, "X K", optional("axis", INT), optional("largest", INT), optional("sorted", INT)),
    TRANSPOSE("Transpose", 21, "data", optional("perm", INTS)),
    WHERE("Where", 16, "condition X Y");

    /** The domain of operators that ONNX Runtime alone has. */
    public static final String MICROSOFT = "com.microsoft";

    private final String type;
    private final String domain;
    private final int since;
    private final int results;
    private final List<String> operands;
    private final Map<String, OnnxAttribute> attributes;

    OnnxOp(String type, int since, String operands, OnnxAttribute... attributes) {
        this(type, "", since, 1, operands, attributes);
    }

    OnnxOp(String type, int since, int results, String operands, OnnxAttribute... attributes) {
        this(type, "", since, results, operands, attributes);
    }

    OnnxOp(String type, String operands) {
        this(type, MICROSOFT, 1, 1, operands);
    }

    OnnxOp(String type, String domain, int since, int results, String operands, OnnxAttribute... attributes) {
        this.type = type;
        this.domain = domain;
        this.since = since;
        this.results = results;
        this.operands = List.of(operands.split(" "));
        this.attributes = List.of(attributes).stream().collect(Collectors.toMap(OnnxAttribute::name, a -> a));
    }

    /** As ONNX calls it. */
    public String type() {
        return type;
    }

    /** Empty for the standard's, else whose it is. */
    public String domain() {
        return domain;
    }

    /** The operator set in which it took this form. */
    public int since() {
        return since;
    }

    /** What it may say beside its operands, by name. */
    Map<String, OnnxAttribute> attributes() {
        return attributes;
    }

    /** An IllegalArgumentException where these cannot be its operands, an absent one being empty, or so many results. */
    void require(List<String> in, int out) {
        String last = operands.get(operands.size() - 1);
        int most = last.endsWith("…") ? Integer.MAX_VALUE : operands.size();
        long least = operands.stream().filter(name -> !name.endsWith("?")).count();
        boolean fits = in.size() >= least && in.size() <= most;
        for (int i = 0; fits && i < in.size(); i++) {
            String operand = operands.get(Math.min(i, operands.size() - 1));
            fits = !in.get(i).isEmpty() || operand.endsWith("?");
        }
        if (!fits) {
            throw new IllegalArgumentException(type + " has the operands " + in + ", expected " + operands);
        }
        if (out < 1 || results != Integer.MAX_VALUE && out != results) {
            throw new IllegalArgumentException(type + " has " + out + " results, expected "
                    + (results == Integer.MAX_VALUE ? "at least 1" : results));
        }
    }
}
