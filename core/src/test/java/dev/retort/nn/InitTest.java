package dev.retort.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Plain;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** What layers begin with, and what they are called. */
class InitTest {
    private static final Init INIT = Init.of(3, Device.CPU);

    private static void uniform(double[] values, double bound) {
        double most = Arrays.stream(values).map(Math::abs).max().orElseThrow();
        double square = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
        assertThat(most).isBetween(0.99 * bound, bound * (1 + 1e-6));
        assertThat(square).isCloseTo(bound * bound / 3, within(0.05 * bound * bound));
    }

    @Test
    void values_have_the_spread_of_their_rule() {
        try (Scope scope = Scope.open()) {
            uniform(Plain.values(INIT.xavierUniform("a", 60, 10, 3, 3)), Math.sqrt(6.0 / (90 + 60)));
            uniform(Plain.values(INIT.kaimingUniform("b", 60, 10, 3, 3)), Math.sqrt(6.0 / 90));
            double[] normal = Plain.values(INIT.normal("c", 0.02, 100, 60));
            double square = Arrays.stream(normal).map(v -> v * v).average().orElseThrow();
            assertThat(Math.sqrt(square)).isCloseTo(0.02, within(1e-3));
            assertThat(Arrays.stream(normal).average().orElseThrow()).isCloseTo(0, within(1e-3));
        }
    }

    @Test
    void values_depend_on_seed_and_full_name_alone() {
        try (Scope scope = Scope.open()) {
            float[] values = Tensors.floats(INIT.at("blocks.0").normal("weight", 1, 8));
            assertThat(Tensors.floats(INIT.at("blocks").at("0").normal("weight", 1, 8)))
                    .containsExactly(values);
            assertThat(Tensors.floats(INIT.at("blocks.1").normal("weight", 1, 8)))
                    .isNotEqualTo(values);
            assertThat(Tensors.floats(Init.of(4, Device.CPU).at("blocks.0").normal("weight", 1, 8)))
                    .isNotEqualTo(values);
        }
    }

    @Test
    void a_network_whose_weights_are_loaded_next_takes_its_shapes_from_a_blank() {
        try (Scope scope = Scope.open()) {
            assertThat(Tensors.shape(Init.blank(Device.CPU).xavierUniform("a", 4, 3)))
                    .containsExactly(4, 3);
        }
    }

    @Test
    void tensors_stand_under_the_names_of_their_layers_and_statistics_are_not_trained() {
        try (ResnetBlock block = new ResnetBlock(INIT, 4, 8, 2, 1e-6);
                BatchNorm2d norm = new BatchNorm2d(INIT, 4)) {
            assertThat(block.parameters().keySet())
                    .containsExactly(
                            "norm1.weight",
                            "norm1.bias",
                            "conv1.weight",
                            "conv1.bias",
                            "norm2.weight",
                            "norm2.bias",
                            "conv2.weight",
                            "conv2.bias",
                            "conv_shortcut.weight",
                            "conv_shortcut.bias");
            assertThat(norm.state().keySet()).containsExactly("weight", "bias", "running_mean", "running_var");
            assertThat(norm.parameters().keySet()).containsExactly("weight", "bias");
            assertThat(norm.parameterCount()).isEqualTo(8);
            assertThat(norm.stateCount()).isEqualTo(16);
            norm.freeze();
            assertThat(norm.parameters().values()).noneMatch(Tensor::requires_grad);
        }
    }

    @Test
    void values_that_do_not_fit_are_named_and_none_is_taken() {
        try (Scope scope = Scope.open();
                Linear layer = Linear.zero(INIT, 3, 2)) {
            Map<String, Tensor> values = new LinkedHashMap<>();
            values.put("weight", Tensors.full(1, Device.CPU, 2, 3));
            values.put("scale", Tensors.full(1, Device.CPU, 2));
            assertThat(layer.load(values)).containsExactly("missing bias", "unexpected scale");
            values.remove("scale");
            values.put("bias", Tensors.full(1, Device.CPU, 3));
            assertThat(layer.load(values)).containsExactly("bias has shape [3], expected [2]");
            assertThat(Tensors.floats(layer.weight())).containsOnly(0);
            values.put("bias", Tensors.full(5, Device.CPU, 2));
            assertThat(layer.load(values)).isEmpty();
            assertThat(Tensors.floats(layer.bias().orElseThrow())).containsOnly(5);
        }
    }
}
