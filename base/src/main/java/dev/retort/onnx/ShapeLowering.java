package dev.retort.onnx;

import dev.retort.graph.Node;
import dev.retort.graph.Shape;
import dev.retort.graph.Size;
import dev.retort.io.Dtype;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Ops that move values, and means over parts of a picture. */
final class ShapeLowering {
    private final OnnxBuilder builder;
    /** Name of an input whose first dimension is the batch. */
    private final String batched;

    ShapeLowering(OnnxBuilder builder, String batched) {
        this.builder = builder;
        this.batched = batched;
    }

    /** A shape for Reshape: one dimension may follow the batch. */
    static String target(OnnxBuilder builder, Shape shape) {
        List<Size> sizes = shape.sizes();
        if (sizes.stream().filter(size -> size.perSample() != 0).count() > 1) {
            throw new IllegalArgumentException("a shape is " + shape + ", expected one dimension that follows the batch");
        }
        return builder.wholes(sizes.stream()
                .mapToLong(size -> size.perSample() == 0 ? size.fixed() : -1)
                .toArray());
    }

    String permute(Node node, String x) {
        return builder.add(
                OnnxOp.TRANSPOSE,
                Map.of("perm", LongStream.of(node.wholes("order")).boxed().toList()),
                x);
    }

    String slice(Node node, String x) {
        return builder.add(
                OnnxOp.SLICE,
                x,
                length(node.size("start")),
                length(node.size("end")),
                builder.wholes(node.whole("dim")),
                builder.wholes(node.whole("step")));
    }

    /** A length as a value (1). */
    private String length(Size size) {
        if (size.perSample() == 0) {
            return builder.wholes(size.fixed());
        }
        String batch = builder.add(OnnxOp.SHAPE, Map.of("start", 0L, "end", 1L), batched);
        return builder.add(
                OnnxOp.ADD,
                builder.add(OnnxOp.MUL, batch, builder.wholes(size.perSample())),
                builder.wholes(size.fixed()));
    }

    /** One element of a dimension, which disappears. */
    String select(Node node, String x) {
        return builder.add(
                OnnxOp.GATHER, Map.of("axis", node.whole("dim")), x, builder.number(Dtype.I64, node.whole("index")));
    }

    /** ONNX wants what is before each dimension, then what is behind each. */
    String pad(Node node, String x) {
        long[] amounts = node.wholes("amounts");
        int rank = node.in().get(0).shape().rank();
        long[] pads = new long[2 * rank];
        for (int i = 0; i < amounts.length; i += 2) {
            int dim = rank - 1 - i / 2;
            pads[dim] = amounts[i];
            pads[rank + dim] = amounts[i + 1];
        }
        return builder.add(OnnxOp.PAD, x, builder.wholes(pads));
    }

    String maxPool(Node node, String x) {
        List<Long> window = List.of(node.whole("window"), node.whole("window"));
        List<Long> stride = List.of(node.whole("stride"), node.whole("stride"));
        return builder.add(OnnxOp.MAX_POOL, Map.of("kernel_shape", window, "strides", stride), x);
    }

    /** Parts of equal size are a pooling; others, which may overlap, two products with matrices of weights. */
    String averagePool(Node node, String x) {
        Shape shape = node.in().get(0).shape();
        long rows = node.whole("rows");
        long cols = node.whole("cols");
        long height = shape.size(-2).whole();
        long width = shape.size(-1).whole();
        if (shape.rank() == 4 && height % rows == 0 && width % cols == 0) {
            List<Long> window = List.of(height / rows, width / cols);
            return builder.add(OnnxOp.AVERAGE_POOL, Map.of("kernel_shape", window, "strides", window), x);
        }
        String byRow = builder.constant("means." + rows + "." + height, Dtype.F32, means(rows, height), rows, height);
        String byColumn = builder.constant("means." + cols + "." + width, Dtype.F32, means(cols, width), cols, width);
        String turned = builder.add(OnnxOp.TRANSPOSE, Map.of("perm", List.of(1L, 0L)), byColumn);
        return builder.add(OnnxOp.MATMUL, builder.add(OnnxOp.MATMUL, byRow, x), turned);
    }

    /** Row i averages ⌊i·length/parts⌋ to ⌈(i+1)·length/parts⌉. */
    private static double[] means(long parts, long length) {
        double[] matrix = new double[Math.toIntExact(parts * length)];
        for (long i = 0; i < parts; i++) {
            long from = i * length / parts;
            long to = ((i + 1) * length + parts - 1) / parts;
            for (long k = from; k < to; k++) {
                matrix[Math.toIntExact(i * length + k)] = 1.0 / (to - from);
            }
        }
        return matrix;
    }

    String doubleSize(String x) {
        String scales = builder.constant("scales.1.1.2.2", Dtype.F32, new double[] {1, 1, 2, 2}, 4);
        return builder.add(
                OnnxOp.RESIZE,
                Map.of("mode", "nearest", "coordinate_transformation_mode", "asymmetric", "nearest_mode", "floor"),
                x,
                "",
                scales);
    }

    String reduce(OnnxOp op, Node node, String x) {
        return builder.add(
                op, Map.of("keepdims", node.flag("keep") ? 1L : 0L), x, builder.wholes(node.whole("dim")));
    }
}
