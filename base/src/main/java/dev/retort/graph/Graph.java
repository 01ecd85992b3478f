package dev.retort.graph;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a forward pass computes, op by op, for any batch size. Immutable.
 *
 * @param inputs what the caller gives, in order
 * @param weights what comes from a checkpoint; only those that are used
 * @param constants numbers that are neither
 * @param nodes in an order in which they can be computed
 * @param outputs what the caller gets, in order
 */
public record Graph(
        List<Value> inputs, List<Weight> weights, List<Constant> constants, List<Node> nodes, List<Value> outputs) {
    /**
     * Validates.
     *
     * @throws IllegalArgumentException where two values have one name, or a value is used before anything makes it
     */
    public Graph {
        inputs = List.copyOf(inputs);
        weights = List.copyOf(weights);
        constants = List.copyOf(constants);
        nodes = List.copyOf(nodes);
        outputs = List.copyOf(outputs);
        Map<String, Value> known = new HashMap<>();
        inputs.forEach(value -> define(known, value));
        weights.forEach(weight -> define(known, weight.value()));
        constants.forEach(constant -> define(known, constant.value()));
        for (Node node : nodes) {
            node.in().forEach(value -> requireKnown(known, value, node.op() + " uses "));
            define(known, node.out());
        }
        outputs.forEach(value -> requireKnown(known, value, "the outputs name "));
    }

    private static void define(Map<String, Value> known, Value value) {
        if (known.put(value.name(), value) != null) {
            throw new IllegalArgumentException("two values are named " + value.name());
        }
    }

    private static void requireKnown(Map<String, Value> known, Value value, String who) {
        if (!value.equals(known.get(value.name()))) {
            throw new IllegalArgumentException(who + value + ", expected one that is there before");
        }
    }

    /**
     * The graph of any batch size from two recordings of one forward, one with n samples and one with m: what differs grows
     * with the batch.
     *
     * @throws IllegalArgumentException naming what differs where it is no size: the forward computes something else for
     *     another batch, or a number of it depends on its inputs without being computed by an {@link Op}
     */
    public static Graph over(long n, Graph of, long m, Graph and) {
        return new BatchSymbol(n, m).of(of, and);
    }

    /** Multiply-accumulates of one pass for this many samples: those of products, as papers count them. */
    public long macs(long batch) {
        return nodes.stream().mapToLong(node -> node.macs(batch)).sum();
    }

    /** Number of trained values. */
    public long parameters() {
        return weights.stream()
                .filter(Weight::trained)
                .mapToLong(weight -> weight.value().shape().elements(1))
                .sum();
    }

    /** The shape of every value by name: inputs, weights, constants, then what the nodes make. */
    public Map<String, Shape> shapes() {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        inputs.forEach(value -> shapes.put(value.name(), value.shape()));
        weights.forEach(
                weight -> shapes.put(weight.value().name(), weight.value().shape()));
        constants.forEach(
                constant -> shapes.put(constant.value().name(), constant.value().shape()));
        nodes.forEach(node -> shapes.put(node.out().name(), node.out().shape()));
        return shapes;
    }
}
