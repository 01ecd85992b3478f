package dev.retort.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Plain;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels and adapters of the layers that are products. */
@Tag("kernels")
class AffineTest {
    private static final Init INIT = Init.of(3, Device.CPU);

    private Scope scope;

    @BeforeEach
    void begin() {
        scope = Scope.open();
    }

    @AfterEach
    void end() {
        scope.close();
    }

    /** Two layers, one in the other. */
    private static final class Pair extends Layer {
        private final Linear first;
        private final Conv2d second;

        Pair(Init init) {
            first = child("inner.first", Linear.xavier(init.at("inner.first"), 6, 4));
            second = child("second", Conv2d.xavier(init.at("second"), 3, 5, 3, 1, 1));
        }
    }

    private static void fill(Layer layer) {
        try (NoGrad off = NoGrad.on()) {
            layer.state()
                    .forEach((name, tensor) -> tensor.copy_(Plain.tensor(
                            Plain.normal(name.hashCode(), 0.5, (int) tensor.numel()), Tensors.shape(tensor))));
        }
    }

    private static double[] values(Tensor tensor) {
        return Plain.values(Ops.detach(tensor));
    }

    @ParameterizedTest
    @CsvSource({"F32, true, 1e-5", "F32, false, 1e-5", "BF16, true, 2e-2", "BF16, false, 2e-2"})
    void a_packed_kernel_gives_what_the_layer_gave(Dtype dtype, boolean bias, double tolerance) {
        try (Linear layer = bias ? Linear.xavier(INIT, 48, 64) : Linear.withoutBias(INIT, 48, 64);
                NoGrad off = NoGrad.on()) {
            fill(layer);
            assertThat(layer.bias().isPresent()).isEqualTo(bias);
            double[] x = Plain.normal(2, 1, 7 * 48);
            double[] expected = Plain.linear(
                    x,
                    values(layer.weight()),
                    layer.bias().map(AffineTest::values).orElse(null),
                    64);
            Tensor input = Plain.tensor(x, 7, 48);
            for (Kernel kernel : List.of(Packed.of(layer, dtype), Kernel.PLAIN)) {
                layer.use(kernel);
                double allowed = kernel == Kernel.PLAIN ? 1e-5 : tolerance;
                assertThat(Plain.error(values(layer.forward(input)), expected)).isLessThan(allowed);
                assertThat(Plain.error(values(layer.forwardGeluTanh(input)), Plain.each(expected, Plain::geluTanh)))
                        .isLessThan(allowed);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 1e-5", "BF16, 2e-2"})
    void a_convolution_of_patches_packs_and_one_of_windows_that_overlap_says_that_it_cannot(
            Dtype dtype, double tolerance) {
        Plain.Image image = new Plain.Image(Plain.normal(1, 1, 2 * 3 * 6 * 4), 3, 6, 4);
        try (Conv2d layer = Conv2d.xavier(INIT, 3, 8, 2, 2, 0);
                Conv2d other = Conv2d.xavier(INIT, 3, 8, 3, 1, 1);
                NoGrad off = NoGrad.on()) {
            fill(layer);
            Plain.Image expected = Plain.conv(
                    image, values(layer.weight()), values(layer.bias().orElseThrow()), 8, 2, 2, 0, 0);
            layer.use(Packed.of(layer, dtype));
            Tensor found = layer.forward(image.tensor());
            assertThat(Tensors.shape(found)).containsExactly(2, 8, 3, 2);
            assertThat(Plain.error(values(found), expected.values())).isLessThan(tolerance);
            assertThatThrownBy(() -> Packed.of(other, dtype)).hasMessageContaining("windows overlap");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"FP32", "BF16"})
    void layers_of_given_weights_ask_for_each_once_and_hold_no_product_beside_its_kernel(Precision precision) {
        try (Pair origin = new Pair(INIT)) {
            fill(origin);
            Map<String, Tensor> weights = origin.state();
            Map<String, Integer> asked = new HashMap<>();
            Init given = Init.packed(
                    (name, dtype) -> {
                        asked.merge(name, 1, Integer::sum);
                        return weights.get(name);
                    },
                    Device.CPU,
                    precision);
            try (Pair packed = new Pair(given);
                    NoGrad off = NoGrad.on()) {
                assertThat(asked.keySet()).isEqualTo(weights.keySet());
                assertThat(asked.values()).containsOnly(1);
                assertThat(packed.state()).containsOnlyKeys("second.weight", "second.bias");
                assertThatThrownBy(packed.first::weight).hasMessageContaining("its kernel alone holds the weight");
                double[] expected = values(origin.first.forward(Plain.tensor(Plain.normal(5, 1, 12), 2, 6)));
                double[] convolved = values(origin.second.forward(Plain.tensor(Plain.normal(6, 1, 48), 1, 3, 4, 4)));
                origin.close();
                assertThat(Plain.error(
                                values(packed.first.forward(Plain.tensor(Plain.normal(5, 1, 12), 2, 6))), expected))
                        .isLessThan(precision == Precision.BF16 ? 2e-2 : 1e-5);
                assertThat(values(packed.second.forward(Plain.tensor(Plain.normal(6, 1, 48), 1, 3, 4, 4))))
                        .isEqualTo(convolved);
            }
        }
    }

    /** A layer and an input for it. */
    private record Adapted(Supplier<Affine> layer, Supplier<Tensor> input) {}

    static List<Adapted> adapted() {
        return List.of(
                new Adapted(() -> Linear.xavier(INIT, 10, 7), () -> Plain.tensor(Plain.normal(4, 1, 30), 3, 10)),
                new Adapted(
                        () -> Conv2d.xavier(INIT, 3, 6, 3, 2, 1),
                        () -> Plain.tensor(Plain.normal(4, 1, 96), 2, 3, 4, 4)));
    }

    @ParameterizedTest
    @MethodSource("adapted")
    void an_adapter_adds_nothing_at_the_start_and_then_what_merging_puts_into_the_weight(Adapted adapted) {
        try (Affine layer = adapted.layer().get()) {
            Tensor x = adapted.input().get();
            double[] before = values(layer.forward(x));
            LowRank adapter = new LowRank(INIT, layer, 2, 6);
            layer.attach(adapter);
            assertThat(values(layer.forward(x))).isEqualTo(before);
            assertThat(layer.state()).containsKeys("weight", "bias", "lora_A.weight", "lora_B.weight");
            assertThat(layer.stateWithoutAdapters()).containsOnlyKeys("weight", "bias");

            fill(layer);
            double[] weight = values(layer.weight());
            double[] with = values(layer.forward(x));
            double[] delta = values(adapter.delta());
            double[] a = values(layer.state().get("lora_A.weight"));
            double[] b = values(layer.state().get("lora_B.weight"));
            int width = a.length / 2;
            assertThat(delta[width + 1]).isEqualTo(3 * (b[2] * a[1] + b[3] * a[width + 1]), within(1e-5));
            layer.merge();
            assertThat(layer.adapter()).isEmpty();
            assertThat(layer.state()).containsOnlyKeys("weight", "bias");
            assertThat(values(layer.weight())[width + 1]).isEqualTo(weight[width + 1] + delta[width + 1], within(1e-6));
            assertThat(Plain.error(values(layer.forward(x)), with)).isLessThan(1e-5);
            assertThat(Plain.error(values(layer.forwardGeluTanh(x)), Plain.each(with, Plain::geluTanh)))
                    .isLessThan(1e-4);
        }
    }

    @Test
    void gradients_reach_only_what_is_trained() {
        try (Pair pair = new Pair(INIT)) {
            Set<String> own = Set.of("inner.first.weight", "inner.first.bias", "second.weight", "second.bias");
            assertThat(pair.trainable().keySet()).isEqualTo(own);
            assertThat(pair.layers()).containsOnlyKeys("inner.first", "second");
            pair.layers().forEach((path, layer) -> {
                if (layer instanceof Affine affine) {
                    affine.attach(new LowRank(INIT.at(path), affine, 2, 2));
                }
            });
            assertThat(pair.layers().keySet())
                    .containsExactly(
                            "inner.first",
                            "inner.first.lora_A",
                            "inner.first.lora_B",
                            "second",
                            "second.lora_A",
                            "second.lora_B");
            pair.train(LowRank::owns);
            assertThat(pair.trainable().keySet())
                    .containsExactly(
                            "inner.first.lora_A.weight",
                            "inner.first.lora_B.weight",
                            "second.lora_A.weight",
                            "second.lora_B.weight");
            assertThat(pair.stateWithoutAdapters().keySet()).isEqualTo(own);
            fill(pair);
            pair.first.forward(Plain.tensor(Plain.normal(5, 1, 12), 2, 6)).sum().backward();
            pair.second
                    .forward(Plain.tensor(Plain.normal(6, 1, 48), 1, 3, 4, 4))
                    .sum()
                    .backward();
            pair.parameters().forEach((name, tensor) -> {
                Tensor gradient = tensor.grad();
                assertThat(gradient.defined()).as(name).isEqualTo(LowRank.owns(name));
            });
            assertThat(pair.first.adapter().orElseThrow().delta().size(1)).isEqualTo(6);
        }
    }
}
