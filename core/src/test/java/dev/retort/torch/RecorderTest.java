package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.graph.Graph;
import dev.retort.graph.Node;
import dev.retort.graph.Op;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class RecorderTest {
    @Test
    void an_op_of_several_kernels_is_one_node_whichever_computes_it() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = wave(2, 4, 24);
            Tensor weight = wave(8, 8);
            try (Recorder recorder = on(Map.of("w", weight), x)) {
                Tensor mixed = Ops.attention(x, 2, 0.5);
                Tensor wide = Ops.linearGeluTanh(mixed, weight, null);
                Tensor normed = Ops.rmsNorm(wide, weight.select(0, 0), 1e-6);
                Graph graph = recorder.graph(Ops.geluTanh(normed));
                assertThat(graph.nodes())
                        .extracting(Node::op)
                        .containsExactly(Op.SELF_ATTENTION, Op.LINEAR_GELU_TANH, Op.RMS_NORM, Op.GELU_TANH);
                assertThat(graph.weights().get(0).value().name()).isEqualTo("w");
                assertThat(graph.constants()).hasSize(1);
                assertThat(graph.macs(1)).isEqualTo(2 * (2 * 4 * 4 * 8) + 2 * 4 * 8 * 8);
            }
        }
    }

    @Test
    void what_the_outputs_do_not_need_is_left_out() {
        try (Scope scope = Scope.open()) {
            Tensor x = wave(2, 3);
            try (Recorder recorder = on(Map.of("unused", wave(3)), x)) {
                Tensor out = Ops.mul(x, 2);
                Ops.exp(x);
                Graph graph = recorder.graph(out);
                assertThat(graph.nodes()).extracting(Node::op).containsExactly(Op.MUL_NUMBER);
                assertThat(graph.weights()).isEmpty();
            }
        }
    }

    @Test
    void objects_that_stand_for_one_tensor_are_one_value() {
        try (Scope scope = Scope.open()) {
            Tensor x = wave(2, 3);
            try (Recorder recorder = on(Map.of(), x)) {
                Tensor again = Dtype.F32.cast(new Tensor(x));
                Graph graph = recorder.graph(Ops.add(again, Ops.alias(x)));
                assertThat(graph.nodes()).hasSize(1);
                assertThat(graph.nodes().get(0).in())
                        .containsExactly(graph.inputs().get(0), graph.inputs().get(0));
            }
        }
    }

    @Test
    void overwriting_makes_a_new_value_unless_another_tensor_shares_the_old_one() {
        try (Scope scope = Scope.open()) {
            Tensor x = wave(2, 3);
            try (Recorder recorder = on(Map.of(), x)) {
                Tensor y = Ops.mul(x, 3);
                Ops.addInPlace(y, 1);
                Graph graph = recorder.graph(Ops.exp(y));
                assertThat(graph.nodes()).extracting(Node::op).containsExactly(Op.MUL_NUMBER, Op.ADD_NUMBER, Op.EXP);
                Tensor part = Ops.narrow(y, 1, 0, 1);
                assertThatThrownBy(() -> Ops.addInPlace(part, 1))
                        .hasMessage("a tensor of shape (2, 1) is overwritten that another one shares, which cannot be"
                                + " recorded");
            }
        }
    }

    @Test
    void an_output_made_behind_its_back_is_told() {
        try (Scope scope = Scope.open()) {
            Tensor x = wave(2, 3);
            try (Recorder recorder = on(Map.of(), x)) {
                assertThatThrownBy(() -> recorder.graph(x.exp()))
                        .hasMessageContaining("an output of shape (2, 3) was not made by a recorded op");
            }
            Ops.exp(x);
        }
    }

    @Test
    void only_one_recorder_works_on_a_thread_and_none_after_its_end() {
        try (Scope scope = Scope.open()) {
            Tensor x = wave(2, 3);
            try (Recorder recorder = on(Map.of(), x)) {
                assertThatThrownBy(() -> on(Map.of(), x)).hasMessageContaining("records already");
            }
            assertThat(Recorder.isOn()).isFalse();
        }
    }

    private static Recorder on(Map<String, Tensor> weights, Tensor x) {
        return Recorder.on(weights, Set.of(), Map.of("x", x));
    }

    private static Tensor wave(long... shape) {
        return Ops.view(Ops.sin(torch(shape)), shape);
    }

    private static Tensor torch(long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 0.37f * i;
        }
        return Tensors.of(values, Device.CPU, count);
    }
}
