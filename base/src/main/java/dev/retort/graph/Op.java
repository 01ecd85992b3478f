package dev.retort.graph;

import static dev.retort.graph.Attribute.flag;
import static dev.retort.graph.Attribute.number;
import static dev.retort.graph.Attribute.shape;
import static dev.retort.graph.Attribute.size;
import static dev.retort.graph.Attribute.type;
import static dev.retort.graph.Attribute.whole;
import static dev.retort.graph.Attribute.wholes;

import java.util.List;

/**
 * What networks are made of. Each op has one meaning, which its description states: operands in order with their shapes (an
 * optional one ends in {@code ?}, {@code …} repeats), the result, and attributes. Dimensions are counted from 0 and never
 * negative. Operands of element-wise ops broadcast as in numpy. Arithmetic is that of the operands' element type unless an op
 * says otherwise.
 */
public enum Op {
    /** x·weightᵀ + bias over the last dimension: x (…, in), weight (out, in), bias (out) → (…, out). */
    LINEAR("x weight bias?"),
    /** {@link #GELU_TANH} of {@link #LINEAR}: x (…, in), weight (out, in), bias (out) → (…, out). */
    LINEAR_GELU_TANH("x weight bias?"),
    /**
     * Cross-correlation in two dimensions: x (N, C, H, W), weight (out, C, kH, kW), bias (out) →
     * (N, out, (H + 2·padding - kH) / stride + 1, likewise), with {@code padding} zeros on each side.
     */
    CONV2D("x weight bias?", whole("stride"), whole("padding")),
    /** a·b over the two last dimensions, the others broadcast: a (…, M, K), b (…, K, L) → (…, M, L). */
    MATMUL("a b"),
    /** Rows of a table: table (K, D), index (…) of whole numbers below K → (…, D). */
    EMBEDDING("table index"),
    /**
     * softmax(scale·q·kᵀ + mask)·v per head, heads side by side: q (N, h, T, d), k (N, h, S, d), v (N, h, S, d), mask broadcast
     * to (N, h, T, S) → (N, T, h·d).
     */
    ATTENTION("q k v mask?", number("scale")),
    /** {@link #ATTENTION} of one projection: joint (N, T, 3·heads·d) holds q, k, v beside each other, each head-major → (N, T, heads·d). */
    SELF_ATTENTION("joint", whole("heads"), number("scale")),

    /** (x - mean) / √(variance + eps) over the last dimension, variance without Bessel's correction: the shape of x. */
    LAYER_NORM("x", number("eps")),
    /** x / √(mean(x²) + eps) · weight over the last dimension, in fp32: x (…, D), weight (D) → the shape of x. */
    RMS_NORM("x weight", number("eps")),
    /**
     * norm(x)·factor + shift: x (N, T, D), shift and factor (N, 1, D), weight (D) → the shape of x. The norm is
     * {@link #RMS_NORM} where a weight is given, else {@link #LAYER_NORM}.
     */
    MODULATED_NORM("x shift factor weight?", number("eps")),
    /**
     * Like {@link #LAYER_NORM} over the channels of each of {@code groups} groups and all pixels of a sample, then times
     * weight plus bias by channel: x (N, C, …), weight and bias (C) → the shape of x.
     */
    GROUP_NORM("x weight bias", whole("groups"), number("eps")),
    /** (x - mean) / √(variance + eps) · weight + bias by channel: x (N, C, H, W), all others (C) → the shape of x. */
    BATCH_NORM("x weight bias mean variance", number("eps")),

    /** x·sigmoid(x). */
    SILU("x"),
    /** max(x, 0). */
    RELU("x"),
    /** x·Φ(x), Φ the distribution function of the standard normal. */
    GELU("x"),
    /** ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
    GELU_TANH("x"),
    /** tanh x. */
    TANH("x"),
    /** eˣ. */
    EXP("x"),
    /** cos x. */
    COS("x"),
    /** sin x. */
    SIN("x"),
    /** x². */
    SQUARE("x"),
    /** eˣ / Σ eˣ over the last dimension. */
    SOFTMAX("x"),
    /** log of {@link #SOFTMAX}. */
    LOG_SOFTMAX("x"),

    /** a + b. */
    ADD("a b"),
    /** a - b. */
    SUB("a b"),
    /** a·b. */
    MUL("a b"),
    /** a / b. */
    DIV("a b"),
    /** a + factor·b. */
    ADD_SCALED("a b", number("factor")),
    /** base + a·b. */
    ADDCMUL("base a b"),
    /** a where the condition holds, b elsewhere. */
    WHERE("condition a b"),
    /** x + term. */
    ADD_NUMBER("x", number("term")),
    /** x·factor. */
    MUL_NUMBER("x", number("factor")),
    /** min(max(x, low), high). */
    CLAMP("x", number("low"), number("high")),
    /** Whether x is above {@code threshold}, as truth values. */
    GREATER("x", number("threshold")),
    /** x in another element type. */
    CAST("x", type("type")),

    /** The same values in row-major order in another shape. */
    RESHAPE("x", shape("shape")),
    /** Dimension {@code order[i]} of x becomes dimension i. */
    PERMUTE("x", wholes("order")),
    /** Elements start, start + step, … below end of a dimension. */
    SLICE("x", whole("dim"), size("start"), size("end"), whole("step")),
    /** One element of a dimension, which disappears. */
    SELECT("x", whole("dim"), whole("index")),
    /** Elements of a dimension in the order of index (K), whole numbers: that dimension becomes K long. */
    INDEX_SELECT("x index", whole("dim")),
    /** A row of each sample: x (N, K, D), index (N) of whole numbers below K → (N, D). */
    PICK_ROWS("x index"),
    /** Place of the largest element of a dimension, which disappears; of the first where several are the largest. 64-bit integers. */
    ARG_MAX("x", whole("dim")),
    /** One behind the other along a dimension. */
    CONCAT("part…", whole("dim")),
    /** Zeros around x: {@code amounts} holds before and after of the last dimension, then of the one before it, and so on. */
    PAD("x", wholes("amounts")),

    /** The largest of each window of window×window, no padding: x (N, C, H, W) → (N, C, (H - window) / stride + 1, likewise). */
    MAX_POOL("x", whole("window"), whole("stride")),
    /** Means of rows×cols parts: x (…, H, W) → (…, rows, cols); part i covers ⌊i·H/rows⌋ to ⌈(i+1)·H/rows⌉. */
    AVERAGE_POOL("x", whole("rows"), whole("cols")),
    /** Every pixel twice by twice: x (N, C, H, W) → (N, C, 2H, 2W). */
    DOUBLE_SIZE("x"),
    /** Mean over a dimension, which stays with length 1 where {@code keep}, else disappears. */
    MEAN("x", whole("dim"), flag("keep")),
    /** Sum over a dimension, which stays with length 1 where {@code keep}, else disappears. */
    SUM("x", whole("dim"), flag("keep"));

    private final List<String> operands;
    private final List<Attribute> attributes;

    Op(String operands, Attribute... attributes) {
        this.operands = List.of(operands.split(" "));
        this.attributes = List.of(attributes);
    }

    /** Names of the operands, in order; those that may be left out end in {@code ?}, one that may repeat in {@code …}. */
    public List<String> operands() {
        return operands;
    }

    /** What a node of this op says beside its operands. */
    public List<Attribute> attributes() {
        return attributes;
    }

    void requireOperands(int count) {
        String last = operands.get(operands.size() - 1);
        int least = last.endsWith("?") ? operands.size() - 1 : operands.size();
        int most = last.endsWith("…") ? Integer.MAX_VALUE : operands.size();
        if (count < least || count > most) {
            throw new IllegalArgumentException(this + " has " + count + " operands, expected " + operands);
        }
    }
}
