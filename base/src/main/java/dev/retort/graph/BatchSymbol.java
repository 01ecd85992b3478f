package dev.retort.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;

/**
 * Two recordings of one forward made one graph for any batch size.
 *
 * @param n samples of the first
 * @param m samples of the second, another number
 */
record BatchSymbol(long n, long m) {
    Graph of(Graph a, Graph b) {
        return new Graph(
                each("inputs", a.inputs(), b.inputs(), this::value),
                each("weights", a.weights(), b.weights(), BatchSymbol::same),
                each("constants", a.constants(), b.constants(), BatchSymbol::constant),
                each("ops", a.nodes(), b.nodes(), this::node),
                each("outputs", a.outputs(), b.outputs(), this::value));
    }

    private <T> List<T> each(String what, List<T> a, List<T> b, BiFunction<T, T, T> one) {
        if (a.size() != b.size()) {
            throw differs(a.size() + " " + what, b.size() + " " + what);
        }
        List<T> result = new ArrayList<>();
        for (int i = 0; i < a.size(); i++) {
            result.add(one.apply(a.get(i), b.get(i)));
        }
        return result;
    }

    private Value value(Value a, Value b) {
        if (!a.name().equals(b.name()) || a.type() != b.type()) {
            throw differs(a, b);
        }
        return new Value(a.name(), a.type(), shape(a.shape(), b.shape()));
    }

    private Shape shape(Shape a, Shape b) {
        return new Shape(each("dimensions", a.sizes(), b.sizes(), this::size));
    }

    private Size size(Size a, Size b) {
        return Size.through(n, a.at(n), m, b.at(m));
    }

    private Node node(Node a, Node b) {
        if (a.op() != b.op()) {
            throw differs(a, b);
        }
        Map<String, Object> attributes = new TreeMap<>();
        a.attributes().forEach((name, x) -> {
            Object y = b.attributes().get(name);
            attributes.put(
                    name,
                    x instanceof Size size
                            ? size(size, (Size) y)
                            : x instanceof Shape shape ? shape(shape, (Shape) y) : same(x, y));
        });
        return new Node(a.op(), each("operands", a.in(), b.in(), this::value), value(a.out(), b.out()), attributes);
    }

    private static Constant constant(Constant a, Constant b) {
        if (!a.equals(b)) {
            throw new IllegalArgumentException(a.value().name()
                    + " holds other numbers in another recording, expected a constant: what depends on the inputs has to be"
                    + " computed by ops that are recorded");
        }
        return a;
    }

    private static <T> T same(T a, T b) {
        if (!a.equals(b)) {
            throw differs(a, b);
        }
        return a;
    }

    private static IllegalArgumentException differs(Object a, Object b) {
        return new IllegalArgumentException(
                "the forward computes something else for another batch: " + a + ", then " + b);
    }
}
