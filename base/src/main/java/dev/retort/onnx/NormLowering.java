package dev.retort.onnx;

import dev.retort.graph.Node;
import dev.retort.graph.Shape;
import java.util.Arrays;
import java.util.Map;

/** Norms in operators that ONNX Runtime has kernels for: LayerNormalization, and InstanceNormalization for groups. */
final class NormLowering {
    private NormLowering() {}

    static String layer(OnnxBuilder builder, Node node, String x) {
        String ones = builder.repeated(1, node.in().get(0).shape().size(-1).whole());
        return builder.add(
                OnnxOp.LAYER_NORMALIZATION, Map.of("axis", -1L, "epsilon", node.number("eps")), x, ones);
    }

    /** x / √(mean(x²) + eps) · weight, spelled as ONNX Runtime fuses it. */
    static String rms(OnnxBuilder builder, Node node, String x, String weight) {
        String squares = builder.add(OnnxOp.POW, x, builder.number(2));
        String mean = builder.add(OnnxOp.REDUCE_MEAN, Map.of("keepdims", 1L), squares, builder.wholes(-1));
        String root = builder.add(OnnxOp.SQRT, builder.add(OnnxOp.ADD, mean, builder.number(node.number("eps"))));
        return builder.add(OnnxOp.MUL, builder.add(OnnxOp.DIV, x, root), weight);
    }

    /** norm(x)·factor + shift. */
    static String modulated(OnnxBuilder builder, Node node, Operands in) {
        String norm = node.in().size() > 3
                ? rms(builder, node, in.get(0), in.get(3))
                : layer(builder, node, in.get(0));
        return builder.add(OnnxOp.ADD, builder.add(OnnxOp.MUL, norm, in.get(2)), in.get(1));
    }

    static String group(OnnxBuilder builder, Node node, Operands in) {
        Shape shape = node.in().get(0).shape();
        long groups = node.whole("groups");
        String grouped = builder.add(OnnxOp.RESHAPE, in.get(0), builder.wholes(0, groups, -1));
        String norm = builder.add(
                OnnxOp.INSTANCE_NORMALIZATION,
                Map.of("epsilon", node.number("eps")),
                grouped,
                builder.repeated(1, groups),
                builder.repeated(0, groups));
        String whole = builder.add(OnnxOp.RESHAPE, norm, ShapeLowering.target(builder, shape));
        long[] column = new long[shape.rank() - 1]; // (C, 1, …): broadcast over samples and pixels
        Arrays.fill(column, 1);
        column[0] = shape.size(1).whole();
        return builder.add(OnnxOp.ADD, builder.add(OnnxOp.MUL, whole, in.as(1, column)), in.as(2, column));
    }

    static String batch(OnnxBuilder builder, Node node, Operands in) {
        return builder.add(
                OnnxOp.BATCH_NORMALIZATION,
                Map.of("epsilon", node.number("eps")),
                in.get(0),
                in.get(1),
                in.get(2),
                in.get(3),
                in.get(4));
    }
}
