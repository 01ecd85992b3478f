package dev.retort.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The shape that each op makes of those of its operands, as {@link Op} describes it. */
final class Shapes {
    /** Batches at which sizes that are products are compared. */
    private static final long[] BATCHES = {1, 2, 3, 5};

    private Shapes() {}

    static Shape of(Op op, List<Shape> in, Map<String, Object> attributes) {
        Shape first = in.get(0);
        return switch (op) {
            case LINEAR, LINEAR_GELU_TANH -> linear(op, in);
            case CONV2D -> convolution(first, in.get(1), whole(attributes, "stride"), whole(attributes, "padding"));
            case MATMUL -> matmul(first, in.get(1));
            case EMBEDDING -> embedding(first, in.get(1));
            case ATTENTION -> attention(first, in.get(1), in.get(2));
            case SELF_ATTENTION -> first.with(2, Size.of(first.size(2).whole() / 3));
            case RMS_NORM, MODULATED_NORM -> norm(op, in);
            case GROUP_NORM, BATCH_NORM -> channelNorm(op, in);
            case ADD, SUB, MUL, DIV, ADD_SCALED, ADDCMUL, WHERE -> broadcast(in);
            case RESHAPE -> reshape(first, (Shape) attributes.get("shape"));
            case PERMUTE -> permute(first, (List<?>) attributes.get("order"));
            case SLICE -> first.with(dim(attributes), length(attributes));
            case SELECT, ARG_MAX -> first.without(dim(attributes));
            case INDEX_SELECT -> first.with(dim(attributes), in.get(1).size(0));
            case PICK_ROWS -> pickRows(first, in.get(1));
            case CONCAT -> concat(in, dim(attributes));
            case PAD -> pad(first, (List<?>) attributes.get("amounts"));
            case MAX_POOL -> pool(first, whole(attributes, "window"), whole(attributes, "stride"));
            case AVERAGE_POOL ->
                first.with(-2, Size.of(whole(attributes, "rows"))).with(-1, Size.of(whole(attributes, "cols")));
            case DOUBLE_SIZE ->
                first.with(2, first.size(2).times(2)).with(3, first.size(3).times(2));
            case MEAN, SUM ->
                (Boolean) attributes.get("keep")
                        ? first.with(dim(attributes), Size.of(1))
                        : first.without(dim(attributes));
            case LAYER_NORM, SILU, RELU, GELU, GELU_TANH, TANH, EXP, COS, SIN, SQUARE, SOFTMAX, LOG_SOFTMAX -> first;
            case ADD_NUMBER, MUL_NUMBER, CLAMP, GREATER, CAST -> first;
        };
    }

    private static Shape linear(Op op, List<Shape> in) {
        Shape weight = in.get(1);
        require(op, in, weight.rank() == 2 && in.get(0).size(-1).equals(weight.size(1)));
        require(op, in, in.size() < 3 || in.get(2).equals(new Shape(List.of(weight.size(0)))));
        return in.get(0).with(-1, weight.size(0));
    }

    private static Shape convolution(Shape x, Shape weight, long stride, long padding) {
        require(Op.CONV2D, List.of(x, weight), x.rank() == 4 && x.size(1).equals(weight.size(1)));
        Shape result = x.with(1, weight.size(0));
        for (int dim = 2; dim < 4; dim++) {
            long inside = x.size(dim).whole() + 2 * padding - weight.size(dim).whole();
            result = result.with(dim, Size.of(inside / stride + 1));
        }
        return result;
    }

    private static Shape matmul(Shape a, Shape b) {
        List<Shape> in = List.of(a, b);
        require(Op.MATMUL, in, a.rank() >= 2 && b.rank() >= 2 && a.size(-1).equals(b.size(-2)));
        List<Size> sizes = new ArrayList<>(
                broadcast(List.of(a.without(-1).without(-1), b.without(-1).without(-1)))
                        .sizes());
        sizes.add(a.size(-2));
        sizes.add(b.size(-1));
        return new Shape(sizes);
    }

    private static Shape embedding(Shape table, Shape index) {
        require(Op.EMBEDDING, List.of(table, index), table.rank() == 2);
        List<Size> sizes = new ArrayList<>(index.sizes());
        sizes.add(table.size(1));
        return new Shape(sizes);
    }

    private static Shape attention(Shape q, Shape k, Shape v) {
        require(
                Op.ATTENTION,
                List.of(q, k, v),
                q.rank() == 4 && k.equals(v) && q.with(2, k.size(2)).equals(k));
        return new Shape(List.of(q.size(0), q.size(2), q.size(3).times(q.size(1).whole())));
    }

    private static Shape norm(Op op, List<Shape> in) {
        Shape x = in.get(0);
        Shape last = new Shape(List.of(x.size(-1)));
        if (op == Op.RMS_NORM) {
            require(op, in, in.get(1).equals(last));
        } else {
            Shape row = x.with(1, Size.of(1));
            require(op, in, x.rank() == 3 && in.get(1).equals(row) && in.get(2).equals(row));
            require(op, in, in.size() < 4 || in.get(3).equals(last));
        }
        return x;
    }

    private static Shape channelNorm(Op op, List<Shape> in) {
        Shape channels = new Shape(List.of(in.get(0).size(1)));
        require(op, in, in.stream().skip(1).allMatch(channels::equals));
        return in.get(0);
    }

    /** As in numpy: aligned at the last dimension, and a length of 1 takes any other. */
    private static Shape broadcast(List<Shape> in) {
        int rank = in.stream().mapToInt(Shape::rank).max().orElseThrow();
        List<Size> sizes = new ArrayList<>();
        for (int dim = rank; dim > 0; dim--) {
            Size size = Size.of(1);
            for (Shape shape : in) {
                Size own = shape.rank() < dim ? Size.of(1) : shape.size(-dim);
                if (!own.is(1) && !size.is(1) && !own.equals(size)) {
                    throw new IllegalArgumentException(in + " do not fit each other");
                }
                size = size.is(1) ? own : size;
            }
            sizes.add(size);
        }
        return new Shape(sizes);
    }

    private static Shape reshape(Shape from, Shape to) {
        for (long batch : BATCHES) {
            require(Op.RESHAPE, List.of(from, to), from.elements(batch) == to.elements(batch));
        }
        return to;
    }

    private static Shape permute(Shape x, List<?> order) {
        require(Op.PERMUTE, List.of(x), order.stream().distinct().count() == x.rank() && order.size() == x.rank());
        return new Shape(
                order.stream().map(dim -> x.size(Math.toIntExact((Long) dim))).toList());
    }

    private static Shape pickRows(Shape x, Shape index) {
        require(Op.PICK_ROWS, List.of(x, index), x.rank() == 3 && index.equals(new Shape(List.of(x.size(0)))));
        return x.without(1);
    }

    private static Size length(Map<String, Object> attributes) {
        Size length = ((Size) attributes.get("end")).minus((Size) attributes.get("start"));
        long step = whole(attributes, "step");
        return step == 1 ? length : Size.of((length.whole() + step - 1) / step);
    }

    private static Shape concat(List<Shape> in, int dim) {
        Size sum = Size.of(0);
        for (Shape part : in) {
            require(Op.CONCAT, in, part.with(dim, Size.of(0)).equals(in.get(0).with(dim, Size.of(0))));
            sum = sum.plus(part.size(dim));
        }
        return in.get(0).with(dim, sum);
    }

    private static Shape pad(Shape x, List<?> amounts) {
        Shape result = x;
        for (int i = 0; i < amounts.size(); i += 2) {
            int dim = -1 - i / 2;
            Size added = Size.of((Long) amounts.get(i) + (Long) amounts.get(i + 1));
            result = result.with(dim, x.size(dim).plus(added));
        }
        return result;
    }

    private static Shape pool(Shape x, long window, long stride) {
        Shape result = x;
        for (int dim = 2; dim < 4; dim++) {
            result = result.with(dim, Size.of((x.size(dim).whole() - window) / stride + 1));
        }
        return result;
    }

    private static int dim(Map<String, Object> attributes) {
        return Math.toIntExact(whole(attributes, "dim"));
    }

    private static long whole(Map<String, Object> attributes, String name) {
        return (Long) attributes.get(name);
    }

    private static void require(Op op, List<Shape> in, boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException(op + " cannot take operands of shapes " + in);
        }
    }
}
