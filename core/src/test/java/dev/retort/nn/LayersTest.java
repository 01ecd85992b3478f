package dev.retort.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Plain;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every layer beside its formula in double. */
@Tag("kernels")
class LayersTest {
    private static final Init INIT = Init.of(3, Device.CPU);
    private static final Plain.Image IMAGE = new Plain.Image(Plain.normal(1, 1, 2 * 8 * 6 * 4), 8, 6, 4);

    private Scope scope;
    private NoGrad off;

    @BeforeEach
    void begin() {
        scope = Scope.open();
        off = NoGrad.on();
    }

    @AfterEach
    void end() {
        off.close();
        scope.close();
    }

    /** Gives every parameter other values, biases and scales too, and returns them. */
    private static Map<String, double[]> filled(Layer layer) {
        Map<String, double[]> values = new LinkedHashMap<>();
        layer.parameters().forEach((name, tensor) -> {
            double[] random = Plain.normal(name.hashCode(), 0.5, (int) tensor.numel());
            tensor.copy_(Plain.tensor(random, Tensors.shape(tensor)));
            values.put(name, random);
        });
        return values;
    }

    private static void same(Tensor found, Plain.Image expected) {
        assertThat(Tensors.shape(found))
                .containsExactly(expected.count(), expected.channels(), expected.height(), expected.width());
        assertThat(Plain.error(Plain.values(found), expected.values())).isLessThan(1e-5);
    }

    @ParameterizedTest
    @CsvSource({"1, 5, 7", "9, 16, 24", "64, 96, 40"})
    void a_linear_layer_multiplies_by_the_transpose_of_its_weight_and_adds_its_bias(int rows, int in, int out) {
        try (Linear layer = Linear.xavier(INIT, in, out)) {
            Map<String, double[]> own = filled(layer);
            double[] x = Plain.normal(2, 1, 2 * rows * in);
            double[] expected = Plain.linear(x, own.get("weight"), own.get("bias"), out);
            Tensor input = Plain.tensor(x, 2, rows, in);
            assertThat(Tensors.shape(layer.forward(input))).containsExactly(2, rows, out);
            assertThat(Plain.error(Plain.values(layer.forward(input)), expected))
                    .isLessThan(1e-5);
            assertThat(Plain.error(Plain.values(layer.forwardGeluTanh(input)), Plain.each(expected, Plain::geluTanh)))
                    .isLessThan(1e-5);
        }
    }

    @ParameterizedTest
    @CsvSource({"3, 1, 1", "3, 2, 1", "1, 1, 0", "2, 2, 0", "3, 1, 0"})
    void a_convolution_is_a_sum_over_its_window(int kernel, int stride, int padding) {
        try (Conv2d with = Conv2d.xavier(INIT, 8, 5, kernel, stride, padding);
                Conv2d without = Conv2d.withoutBias(INIT, 8, 5, kernel, stride, padding)) {
            Map<String, double[]> own = filled(with);
            same(
                    with.forward(IMAGE.tensor()),
                    Plain.conv(IMAGE, own.get("weight"), own.get("bias"), 5, kernel, stride, padding, padding));
            Map<String, double[]> others = filled(without);
            assertThat(others).containsOnlyKeys("weight");
            same(
                    without.forward(IMAGE.tensor()),
                    Plain.conv(IMAGE, others.get("weight"), null, 5, kernel, stride, padding, padding));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void half_the_size_is_a_convolution_of_stride_two_with_zeros_where_asked(boolean allSides) {
        try (Downsample layer = new Downsample(INIT, 8, allSides)) {
            Map<String, double[]> own = filled(layer);
            same(
                    layer.forward(IMAGE.tensor()),
                    Plain.conv(IMAGE, own.get("conv.weight"), own.get("conv.bias"), 8, 3, 2, allSides ? 1 : 0, 1));
        }
    }

    @Test
    void twice_the_size_repeats_every_pixel_before_its_convolution() {
        try (Upsample layer = new Upsample(INIT, 8)) {
            Map<String, double[]> own = filled(layer);
            double[] large = new double[4 * IMAGE.values().length];
            for (int i = 0; i < large.length; i++) {
                int channel = i / (8 * 12);
                large[i] = IMAGE.at(channel / 8, channel % 8, i / 8 % 12 / 2, i % 8 / 2);
            }
            same(
                    layer.forward(IMAGE.tensor()),
                    Plain.conv(
                            new Plain.Image(large, 8, 12, 8),
                            own.get("conv.weight"),
                            own.get("conv.bias"),
                            8,
                            3,
                            1,
                            1,
                            1));
        }
    }

    @Test
    void a_group_norm_takes_mean_and_variance_of_each_group_of_channels() {
        try (GroupNorm layer = new GroupNorm(INIT, 4, 8, 1e-3)) {
            Map<String, double[]> own = filled(layer);
            same(layer.forward(IMAGE.tensor()), Plain.groupNorm(IMAGE, 4, own.get("weight"), own.get("bias"), 1e-3));
        }
    }

    @Test
    void a_batch_norm_takes_the_batchs_statistics_in_training_and_else_those_it_kept() {
        try (BatchNorm2d layer = new BatchNorm2d(INIT, 8)) {
            Map<String, double[]> own = filled(layer);
            double[] mean = new double[8];
            double[] variance = new double[8];
            int count = IMAGE.values().length / 8;
            for (int i = 0; i < IMAGE.values().length; i++) {
                mean[i / 24 % 8] += IMAGE.values()[i] / count;
            }
            for (int i = 0; i < IMAGE.values().length; i++) {
                variance[i / 24 % 8] += Math.pow(IMAGE.values()[i] - mean[i / 24 % 8], 2) / count;
            }
            same(layer.forward(IMAGE.tensor(), true), normed(own, mean, variance));
            double[] keptMean = Plain.each(mean, m -> 0.1 * m);
            double[] keptVariance = Plain.each(variance, v -> 0.9 + 0.1 * v * count / (count - 1));
            assertThat(Plain.error(Plain.values(layer.state().get("running_mean")), keptMean))
                    .isLessThan(1e-5);
            assertThat(Plain.error(Plain.values(layer.state().get("running_var")), keptVariance))
                    .isLessThan(1e-5);
            same(layer.forward(IMAGE.tensor(), false), normed(own, keptMean, keptVariance));
        }
    }

    private static Plain.Image normed(Map<String, double[]> own, double[] mean, double[] variance) {
        double[] y = new double[IMAGE.values().length];
        for (int i = 0; i < y.length; i++) {
            int c = i / 24 % 8;
            y[i] = (IMAGE.values()[i] - mean[c]) / Math.sqrt(variance[c] + 1e-5) * own.get("weight")[c]
                    + own.get("bias")[c];
        }
        return IMAGE.with(y);
    }

    @Test
    void an_rms_norm_divides_by_the_root_of_the_mean_square() {
        try (RmsNorm layer = new RmsNorm(INIT, 24)) {
            double[] weight = filled(layer).get("weight");
            double[] x = Plain.normal(4, 3, 24);
            assertThat(Plain.error(
                            Plain.values(Ops.rmsNorm(Plain.tensor(x, 1, 24), layer.weight(), 1e-6)),
                            Plain.rmsNorm(x, weight, 1e-6)))
                    .isLessThan(1e-5);
        }
    }

    @Test
    void an_embedding_looks_its_rows_up() {
        try (Embedding layer = new Embedding(INIT, 5, 3)) {
            double[] table = filled(layer).get("embedding_table.weight");
            Tensor rows = layer.forward(Tensors.of(new int[] {4, 0, 4}, Device.CPU));
            assertThat(Plain.values(rows))
                    .containsExactly(
                            table[12], table[13], table[14], table[0], table[1], table[2], table[12], table[13],
                            table[14]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 12})
    void a_residual_block_adds_two_convolutions_behind_norms_to_its_input(int out) {
        try (ResnetBlock layer = new ResnetBlock(INIT, 8, out, 4, 1e-6)) {
            Map<String, double[]> own = filled(layer);
            Plain.Image y = Plain.groupNorm(IMAGE, 4, own.get("norm1.weight"), own.get("norm1.bias"), 1e-6);
            y = y.with(Plain.each(y.values(), Plain::silu));
            y = Plain.conv(y, own.get("conv1.weight"), own.get("conv1.bias"), out, 3, 1, 1, 1);
            y = Plain.groupNorm(y, 4, own.get("norm2.weight"), own.get("norm2.bias"), 1e-6);
            y = y.with(Plain.each(y.values(), Plain::silu));
            y = Plain.conv(y, own.get("conv2.weight"), own.get("conv2.bias"), out, 3, 1, 1, 1);
            Plain.Image straight = out == 8
                    ? IMAGE
                    : Plain.conv(
                            IMAGE, own.get("conv_shortcut.weight"), own.get("conv_shortcut.bias"), out, 1, 1, 0, 0);
            double[] sum = new double[y.values().length];
            for (int i = 0; i < sum.length; i++) {
                sum[i] = y.values()[i] + straight.values()[i];
            }
            same(layer.forward(IMAGE.tensor()), y.with(sum));
        }
    }

    @Test
    void a_chain_hands_out_what_is_tapped_and_leaves_its_input_alone() {
        Chain chain = new Chain()
                .add(x -> Ops.add(x, 1))
                .tap("first")
                .add(x -> Ops.mul(x, 3))
                .tap("second")
                .add(x -> Ops.add(x, -2));
        Tensor x = Plain.tensor(new double[] {1, -4}, 2);
        Taps taps = Taps.of(List.of("first"));
        assertThat(Plain.values(chain.forward(x, taps))).containsExactly(4, -11);
        assertThat(Plain.values(taps.get("first"))).containsExactly(2, -3);
        assertThat(Plain.values(x)).containsExactly(1, -4);
        List<String> missing = new ArrayList<>();
        try {
            taps.get("second");
        } catch (IllegalStateException e) {
            missing.add(e.getMessage());
        }
        assertThat(missing).containsExactly("tap second did not fire; fired: [first]");
    }
}
