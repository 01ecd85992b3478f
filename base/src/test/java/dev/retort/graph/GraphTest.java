package dev.retort.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.io.Dtype;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GraphTest {
    private static final Value X = value("x", Shape.ofSamples(6));
    private static final Value W = value("fc.weight", Shape.of(4, 6));
    private static final Value B = value("fc.bias", Shape.of(4));
    private static final Value Y = value("y", Shape.ofSamples(4));
    private static final Node LINEAR = new Node(Op.LINEAR, List.of(X, W, B), Y, Map.of());

    @Test
    void a_graph_counts_its_products_and_parameters() {
        Value table = value("positions", Shape.of(4));
        Value z = value("z", Shape.ofSamples(4));
        Graph graph = new Graph(
                List.of(X),
                List.of(new Weight(W, true), new Weight(B, true), new Weight(table, false)),
                List.of(),
                List.of(LINEAR, new Node(Op.ADD, List.of(Y, table), z, Map.of())),
                List.of(z));
        assertThat(graph.macs(1)).isEqualTo(24);
        assertThat(graph.macs(5)).isEqualTo(120);
        assertThat(graph.parameters()).isEqualTo(28);
        assertThat(graph.shapes().get("z")).hasToString("(N, 4)");
        assertThat(graph.shapes()).containsOnlyKeys("x", "fc.weight", "fc.bias", "positions", "y", "z");
    }

    @Test
    void products_of_all_kinds_are_counted_as_papers_do() {
        assertThat(node(Op.LINEAR_GELU_TANH, Map.of(), Shape.ofSamples(4), Shape.ofSamples(6), Shape.of(4, 6))
                        .macs(2))
                .isEqualTo(2 * 24);
        assertThat(node(
                                Op.CONV2D,
                                Map.of("stride", 2L, "padding", 1L),
                                Shape.ofSamples(8, 4, 4),
                                Shape.ofSamples(3, 8, 8),
                                Shape.of(8, 3, 3, 3))
                        .macs(2))
                .isEqualTo(2 * 8 * 16 * 27);
        assertThat(node(Op.MATMUL, Map.of(), Shape.ofSamples(5, 7), Shape.ofSamples(5, 6), Shape.ofSamples(6, 7))
                        .macs(2))
                .isEqualTo(2 * 5 * 6 * 7);
        Shape heads = Shape.ofSamples(2, 9, 4);
        assertThat(node(
                                Op.ATTENTION,
                                Map.of("scale", 0.5),
                                Shape.ofSamples(5, 8),
                                Shape.ofSamples(2, 5, 4),
                                heads,
                                heads)
                        .macs(3))
                .isEqualTo(3 * 2 * (5 * 9 * 4) * 2);
        assertThat(node(
                                Op.SELF_ATTENTION,
                                Map.of("heads", 2L, "scale", 0.5),
                                Shape.ofSamples(5, 8),
                                Shape.ofSamples(5, 24))
                        .macs(3))
                .isEqualTo(3 * 2 * (5 * 5 * 4) * 2);
    }

    @Test
    void shapes_follow_from_those_of_the_operands() {
        assertThat(made(Op.MUL, Map.of(), Shape.ofSamples(5, 4), Shape.of(1, 4)))
                .hasToString("(N, 5, 4)");
        assertThat(made(Op.PERMUTE, Map.of("order", List.of(2L, 0L, 1L)), Shape.ofSamples(5, 4)))
                .hasToString("(4, N, 5)");
        assertThat(made(Op.CONCAT, Map.of("dim", 0L), Shape.ofSamples(4), Shape.ofSamples(4), Shape.of(1, 4)))
                .hasToString("(1+2N, 4)");
        assertThat(made(Op.PAD, Map.of("amounts", List.of(0L, 1L, 2L, 3L)), Shape.ofSamples(5, 4)))
                .hasToString("(N, 10, 5)");
        assertThat(made(
                        Op.SLICE,
                        Map.of("dim", 1L, "start", Size.of(1), "end", Size.of(8), "step", 2L),
                        Shape.ofSamples(9)))
                .hasToString("(N, 4)");
        assertThat(made(Op.MEAN, Map.of("dim", 1L, "keep", false), Shape.ofSamples(5, 4)))
                .hasToString("(N, 4)");
        assertThat(made(Op.MAX_POOL, Map.of("window", 2L, "stride", 2L), Shape.ofSamples(3, 7, 8)))
                .hasToString("(N, 3, 3, 4)");
        assertThat(made(Op.EMBEDDING, Map.of(), Shape.of(10, 4), Shape.ofSamples()))
                .hasToString("(N, 4)");
    }

    @Test
    void a_node_that_cannot_be_is_refused() {
        assertThatThrownBy(() -> new Node(Op.LINEAR, List.of(X), Y, Map.of()))
                .hasMessage("LINEAR has 1 operands, expected [x, weight, bias?]");
        assertThatThrownBy(() -> new Node(Op.SILU, List.of(X), X, Map.of("eps", 1.0)))
                .hasMessage("SILU has attributes [eps], expected []");
        assertThatThrownBy(() -> new Node(Op.LAYER_NORM, List.of(X), X, Map.of("eps", 1L)))
                .hasMessage("LAYER_NORM's eps is 1, expected a Double");
        assertThatThrownBy(() -> new Node(Op.SILU, List.of(X), Y, Map.of()))
                .hasMessageContaining("y has shape (N, 4), expected (N, 6) of SILU");
        assertThatThrownBy(() -> made(Op.RESHAPE, Map.of("shape", Shape.of(12)), Shape.ofSamples(6)))
                .hasMessage("RESHAPE cannot take operands of shapes [(N, 6), (12)]");
        assertThatThrownBy(() -> made(Op.ADD, Map.of(), Shape.of(3), Shape.of(4)))
                .hasMessage("[(3), (4)] do not fit each other");
    }

    @Test
    void a_graph_that_uses_what_is_not_there_is_refused() {
        List<Weight> weights = List.of(new Weight(W, true), new Weight(B, true));
        assertThatThrownBy(() -> new Graph(List.of(), weights, List.of(), List.of(LINEAR), List.of(Y)))
                .hasMessageContaining("LINEAR uses Value[name=x")
                .hasMessageContaining("expected one that is there before");
        assertThatThrownBy(() -> new Graph(List.of(X), weights, List.of(), List.of(LINEAR, LINEAR), List.of(Y)))
                .hasMessage("two values are named y");
        assertThatThrownBy(() -> new Graph(List.of(X), weights, List.of(), List.of(), List.of(Y)))
                .hasMessageContaining("the outputs name Value[name=y");
    }

    @Test
    void what_differs_between_two_batches_becomes_the_symbol() {
        Graph any = Graph.over(2, flat(2, 1), 3, flat(3, 1));
        assertThat(any.inputs().get(0).shape()).hasToString("(N, 5, 2)");
        assertThat(any.nodes().get(0).shape("shape")).hasToString("(5N, 2)");
        assertThat(any.outputs().get(0).shape().at(7)).containsExactly(35, 2);
    }

    @Test
    void numbers_that_follow_the_inputs_unseen_are_refused() {
        assertThatThrownBy(() -> Graph.over(2, flat(2, 1), 3, flat(3, 2)))
                .hasMessageContaining("c holds other numbers in another recording");
    }

    /** x (samples, 5, 2) → (5·samples, 2), plus a constant. */
    private static Graph flat(long samples, double number) {
        Value x = value("x", Shape.of(samples, 5, 2));
        Value rows = value("rows", Shape.of(5 * samples, 2));
        Value c = value("c", Shape.of(1));
        Value out = value("out", rows.shape());
        return new Graph(
                List.of(x),
                List.of(),
                List.of(new Constant(c, new double[] {number})),
                List.of(
                        new Node(Op.RESHAPE, List.of(x), rows, Map.of("shape", rows.shape())),
                        new Node(Op.ADD, List.of(rows, c), out, Map.of())),
                List.of(out));
    }

    @ParameterizedTest
    @EnumSource(Op.class)
    void every_op_names_its_operands_and_attributes(Op op) {
        assertThat(op.operands()).isNotEmpty().doesNotHaveDuplicates().allMatch(name -> name.matches("[a-z]+[?…]?"));
        assertThat(op.operands().subList(0, op.operands().size() - 1)).allMatch(name -> name.matches("[a-z]+"));
        assertThat(op.attributes().stream().map(Attribute::name)).doesNotHaveDuplicates();
    }

    private static Value value(String name, Shape shape) {
        return new Value(name, Dtype.F32, shape);
    }

    private static Node node(Op op, Map<String, Object> attributes, Shape out, Shape... in) {
        List<Value> operands = new java.util.ArrayList<>();
        for (Shape shape : in) {
            operands.add(value("in" + operands.size(), shape));
        }
        return new Node(op, operands, value("out", out), attributes);
    }

    private static Shape made(Op op, Map<String, Object> attributes, Shape... in) {
        return node(op, attributes, Shapes.of(op, List.of(in), attributes), in)
                .out()
                .shape();
    }
}
