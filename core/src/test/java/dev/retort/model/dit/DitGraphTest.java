package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.DitConvention;
import dev.retort.card.DitSizes;
import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TapPoint;
import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import dev.retort.model.Condition;
import dev.retort.model.NetworkGraph;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a diffusion transformer computes, as a graph that was recorded for two and three samples. */
class DitGraphTest {
    private static final DitSpec ORIGINAL = new DitSpec(8, 12, 4, 2, 48, 2, 3, 4, 10, 0.1, true, false);
    private static final DitSpec MODERN = new DitSpec(8, 12, 3, 2, 48, 2, 3, 4, 10, 0, false, true);

    static Stream<DitSpec> specs() {
        return Stream.of(
                ORIGINAL,
                ORIGINAL.with(DitConvention.DIFFUSERS),
                ORIGINAL.with(new ScalarInputs(true, 1000)),
                MODERN,
                MODERN.with(DitConvention.DIFFUSERS),
                MODERN.with(new ScalarInputs(false, 1)));
    }

    @ParameterizedTest
    @MethodSource("specs")
    void a_replay_equals_the_forward_and_its_taps_for_other_batches(DitSpec spec) {
        List<String> names =
                List.of("tokens", "condition", "blocks.0", "blocks.1.attn", "blocks.1.mlp", "final_tokens");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = new Dit(spec, Init.of(1, Device.CPU))) {
            DitParityTest.randomise(dit);
            GraphReplay replay = new GraphReplay(NetworkGraph.of(dit, names), dit.state(), Device.CPU);
            for (int batch : new int[] {1, 5}) {
                Tensor x = Tensors.of(
                        DitParityTest.wave(batch * spec.channels() * 96), Device.CPU, batch, spec.channels(), 8, 12);
                Tensor time = Tensors.full(300 + batch, Device.CPU, batch);
                Tensor label = Tensors.of(new int[] {9, 3, 0, 1, 2}, Device.CPU).narrow(0, 0, batch);
                Taps taps = Taps.of(names);
                List<Tensor> inputs = new ArrayList<>(List.of(x, time, label));
                Condition condition = Condition.of(Map.of(Part.LABEL, label));
                for (Part part : spec.scalars().parts()) {
                    Tensor number = Tensors.full(0.3 * batch, Device.CPU, batch);
                    inputs.add(number);
                    condition = condition.with(part, number);
                }
                List<Tensor> expected = new ArrayList<>();
                expected.add(dit.forward(x, time, condition, taps));
                names.forEach(name -> expected.add(taps.get(name)));
                Tensor[] replayed = replay.run(inputs.toArray(Tensor[]::new));
                for (int i = 0; i < replayed.length; i++) {
                    assertThat(Tensors.floats(replayed[i]))
                            .as("output " + i + " of " + batch)
                            .isEqualTo(Tensors.floats(expected.get(i)));
                }
            }
        }
    }

    static Stream<DitSpec> sizes() {
        return Stream.concat(
                specs(),
                Stream.of(
                        DitSizes.paper("DiT-S/8", 32),
                        DitSizes.paper("S/4", 16),
                        ORIGINAL.minimal(),
                        new DitSpec(28, 28, 1, 4, 64, 3, 4, 2.5, 10, 0.2, false, false),
                        new DitSpec(16, 16, 3, 4, 64, 3, 4, 2.5, 1, 0, false, true),
                        new DitSpec(16, 16, 3, 4, 64, 3, 4, 2.5, 1, 0, false, true).withOutputs(5)));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void counts_and_tap_shapes_of_the_card_are_those_of_the_graph(DitSpec spec) {
        try (Scope scope = Scope.open();
                Dit dit = new Dit(spec, Init.blank(Device.CPU))) {
            Graph graph = NetworkGraph.of(
                    dit, spec.taps().stream().map(TapPoint::name).toList());
            assertThat(graph.macs(1)).isEqualTo(spec.macs());
            assertThat(graph.macs(7)).isEqualTo(7 * spec.macs());
            assertThat(graph.parameters()).isEqualTo(spec.parameters()).isEqualTo(dit.parameterCount());
            assertThat(graph.outputs().get(0).shape().at(3))
                    .containsExactly(3, spec.outChannels(), spec.height(), spec.width());
            assertThat(graph.outputs().subList(1, graph.outputs().size()))
                    .hasSize(spec.depth())
                    .allSatisfy(tap -> assertThat(tap.shape().at(3)).containsExactly(3, spec.tokens(), spec.hidden()));
        }
    }

    @Test
    void a_block_is_nodes_of_whole_ops_and_weights_keep_their_names() {
        try (Scope scope = Scope.open();
                Dit dit = new Dit(ORIGINAL, Init.blank(Device.CPU))) {
            Graph graph = NetworkGraph.of(dit, List.of());
            assertThat(graph.inputs())
                    .extracting(value -> value.name() + value.shape())
                    .containsExactly("x(N, 4, 8, 12)", "time(N)", "label(N)");
            assertThat(count(graph, Op.SELF_ATTENTION)).isEqualTo(2);
            assertThat(count(graph, Op.MODULATED_NORM)).isEqualTo(5);
            assertThat(count(graph, Op.LINEAR_GELU_TANH)).isEqualTo(2);
            assertThat(count(graph, Op.SOFTMAX) + count(graph, Op.MATMUL)).isZero();
            assertThat(graph.weights()).hasSize(dit.state().size()).allSatisfy(weight -> {
                assertThat(dit.state()).containsKey(weight.value().name());
                assertThat(weight.trained()).isEqualTo(!weight.value().name().equals("pos_embed"));
            });
            assertThat(graph.constants()).hasSize(1); // the frequencies of the time embedding
        }
    }

    @Test
    void blocks_that_are_computed_again_in_the_backward_pass_are_recorded_as_any() {
        try (Scope scope = Scope.open();
                Dit dit = new Dit(ORIGINAL, Init.blank(Device.CPU))) {
            Graph plain = NetworkGraph.of(dit, List.of("blocks.1.mlp"));
            dit.recompute(true);
            assertThat(NetworkGraph.of(dit, List.of("blocks.1.mlp"))).isEqualTo(plain);
        }
    }

    private static long count(Graph graph, Op op) {
        return graph.nodes().stream().map(Node::op).filter(op::equals).count();
    }
}
