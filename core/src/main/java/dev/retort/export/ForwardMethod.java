package dev.retort.export;

import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The method {@code forward} of a {@link Graph} in TorchScript: its inputs as arguments, its outputs as the result (a tuple where
 * there are several), weights and constants as attributes of the module.
 */
final class ForwardMethod {
    /** What it is called. */
    static final String NAME = "forward";

    private static final String INDENT = "    ";

    private final Graph graph;
    private final Map<String, String> names = new HashMap<>();

    private ForwardMethod(Graph graph) {
        this.graph = graph;
        graph.inputs().forEach(input -> names.put(input.name(), argument(input.name())));
        graph.weights()
                .forEach(weight -> names.put(
                        weight.value().name(), attribute(weight.value().name())));
        graph.constants()
                .forEach(constant -> names.put(
                        constant.value().name(), attribute(constant.value().name())));
        graph.nodes().forEach(node -> names.put(node.out().name(), "_" + names.size()));
    }

    /**
     * Writes.
     *
     * @throws IllegalArgumentException naming what cannot be written: an input that is no identifier, or an op on an element type
     *     that libtorch does not compute with
     */
    static String of(Graph graph) {
        return new ForwardMethod(graph).method();
    }

    /**
     * The head of a method of the module.
     *
     * @param tensors names of arguments
     * @param others further arguments with their types, each behind a comma
     */
    static String head(String method, List<String> tensors, String others, String result) {
        String arguments =
                tensors.stream().map(name -> ", " + name + ": Tensor").collect(Collectors.joining());
        return "def " + method + "(self" + arguments + others + ") -> " + result + ":\n";
    }

    private String method() {
        List<String> arguments = graph.inputs().stream().map(this::name).toList();
        List<String> results = graph.outputs().stream().map(this::name).toList();
        boolean single = results.size() == 1;
        String type = "Tensor" + ", Tensor".repeat(results.size() - 1);
        StringBuilder text = new StringBuilder(head(NAME, arguments, "", single ? type : "Tuple[" + type + "]"));
        if (!arguments.isEmpty()) {
            line(text, TorchScriptOps.BATCH + " = " + TorchScriptOps.call("size", arguments.get(0), "0"));
        }
        for (Node node : graph.nodes()) {
            List<String> operands = node.in().stream().map(this::name).toList();
            line(text, name(node.out()) + " = " + TorchScriptOps.expression(node, operands));
        }
        line(text, "return " + (single ? results.get(0) : "(" + String.join(", ", results) + ")"));
        return text.toString();
    }

    private static void line(StringBuilder text, String line) {
        text.append(INDENT).append(line).append('\n');
    }

    private static String argument(String input) {
        if (!input.matches("[A-Za-z][A-Za-z0-9_]*") || input.equals("self")) {
            throw new IllegalArgumentException("an input of the graph is named \"" + input
                    + "\", expected a name that TorchScript takes for an argument: letters, digits and underscores");
        }
        return input;
    }

    /** By {@code getattr}, since parts of names are numbers. */
    private static String attribute(String path) {
        String text = "self";
        for (String part : path.split("\\.")) {
            text = "getattr(" + text + ", \"" + part + "\")";
        }
        return text;
    }

    private String name(Value value) {
        return names.get(value.name());
    }
}
