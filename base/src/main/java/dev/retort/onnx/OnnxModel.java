package dev.retort.onnx;

import dev.retort.graph.Value;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What an ONNX file holds. Immutable.
 *
 * @param inputs what the caller gives, in order
 * @param initializers the tensors of the file
 * @param nodes in an order in which they can be computed
 * @param outputs what the caller gets, in order
 * @param metadata what the file says of itself
 */
public record OnnxModel(
        List<Value> inputs,
        List<Initializer> initializers,
        List<OnnxNode> nodes,
        List<Value> outputs,
        Map<String, String> metadata) {
    /** The operator set of every file, unless a node needs a later one. */
    private static final int OPSET = 21;

    /**
     * Validates.
     *
     * @throws IllegalArgumentException where two values have one name, or a value is used before anything makes it
     */
    public OnnxModel {
        inputs = List.copyOf(inputs);
        initializers = List.copyOf(initializers);
        nodes = List.copyOf(nodes);
        outputs = List.copyOf(outputs);
        metadata = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        Set<String> known = new HashSet<>();
        inputs.forEach(input -> define(known, input.name()));
        initializers.forEach(initializer -> define(known, initializer.name()));
        for (OnnxNode node : nodes) {
            node.in().stream()
                    .filter(name -> !name.isEmpty())
                    .forEach(name -> requireKnown(known, name, node.op().type() + " uses "));
            node.out().forEach(name -> define(known, name));
        }
        outputs.forEach(output -> requireKnown(known, output.name(), "the outputs name "));
    }

    private static void define(Set<String> known, String name) {
        if (name.isEmpty() || !known.add(name)) {
            throw new IllegalArgumentException("two values are named \"" + name + "\", or one has no name");
        }
    }

    private static void requireKnown(Set<String> known, String name, String who) {
        if (!known.contains(name)) {
            throw new IllegalArgumentException(who + name + ", expected one that is there before");
        }
    }

    /** The operator sets that its nodes need, by domain. */
    public Map<String, Integer> opsets() {
        Map<String, Integer> opsets = new LinkedHashMap<>(Map.of("", OPSET));
        nodes.forEach(node -> opsets.merge(node.op().domain(), node.op().since(), Math::max));
        return opsets;
    }

    /** Size of all tensors of the file. */
    public long bytes() {
        return initializers.stream().mapToLong(Initializer::bytes).sum();
    }
}
