package dev.retort.onnx;

import dev.retort.graph.Node;
import java.util.List;
import java.util.Map;

/** Attention in standard operators: products, a softmax and the moves between them. */
final class AttentionLowering {
    private static final List<Long> HEADS_FIRST = List.of(0L, 2L, 1L, 3L);
    private static final List<Long> HEADS_FIRST_TURNED = List.of(0L, 2L, 3L, 1L);

    private AttentionLowering() {}

    /** softmax(scale·q·kᵀ + mask)·v of q (N, h, T, d), k, v (N, h, S, d) → (N, T, h·d). */
    static String of(OnnxBuilder builder, Node node, Operands in) {
        String turned = builder.add(OnnxOp.TRANSPOSE, Map.of("perm", List.of(0L, 1L, 3L, 2L)), in.get(1));
        String mask = node.in().size() > 3 ? in.get(3) : null;
        return mixed(builder, node, in.get(0), turned, in.get(2), mask);
    }

    /** The same of joint (N, T, 3·h·d). */
    static String ofJoint(OnnxBuilder builder, Node node, Operands in) {
        long heads = node.whole("heads");
        long width = node.out().shape().size(2).whole() / heads;
        List<String> parts = builder.add(3, OnnxOp.SPLIT, Map.of("axis", 2L, "num_outputs", 3L), in.get(0));
        String shape = builder.wholes(0, 0, heads, width);
        String q = moved(builder, parts.get(0), shape, HEADS_FIRST);
        String k = moved(builder, parts.get(1), shape, HEADS_FIRST_TURNED);
        String v = moved(builder, parts.get(2), shape, HEADS_FIRST);
        return mixed(builder, node, q, k, v, null);
    }

    private static String moved(OnnxBuilder builder, String part, String shape, List<Long> order) {
        return builder.add(OnnxOp.TRANSPOSE, Map.of("perm", order), builder.add(OnnxOp.RESHAPE, part, shape));
    }

    private static String mixed(OnnxBuilder builder, Node node, String q, String turnedK, String v, String mask) {
        double scale = node.number("scale");
        String scaled = scale == 1 ? q : builder.add(OnnxOp.MUL, q, builder.number(scale));
        String scores = builder.add(OnnxOp.MATMUL, scaled, turnedK);
        String masked = mask == null ? scores : builder.add(OnnxOp.ADD, scores, mask);
        String weights = builder.add(OnnxOp.SOFTMAX, Map.of("axis", -1L), masked);
        String heads = builder.add(
                OnnxOp.TRANSPOSE, Map.of("perm", HEADS_FIRST), builder.add(OnnxOp.MATMUL, weights, v));
        return builder.add(
                OnnxOp.RESHAPE,
                heads,
                builder.wholes(0, 0, node.out().shape().size(2).whole()));
    }
}
