package dev.retort.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.retort.card.QuantizationSpec;
import dev.retort.card.QuantizationSpec.Activations;
import dev.retort.card.QuantizationSpec.Isa;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.Nibbles;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs again as on a CPU with AVX2 and no more, whose sums of bytes saturate. */
@Tag("kernels")
class Int8Test {
    private static final int IN = 96;
    private static final int OUT = 64;
    private static final List<Double> TIMES = List.of(1.0, 0.5);

    private final Random random = new Random(1);

    @BeforeEach
    void needs_products_of_integers() {
        assumeThat(IntegerProduct.possible()).isTrue();
    }

    private static QuantizationSpec spec(Activations activations, Isa isa) {
        List<Double> times = activations == Activations.STATIC ? TIMES : List.of();
        return new QuantizationSpec(8, 0, activations, isa, 0, times, List.of("layer"), Map.of());
    }

    private Tensor normal(double std, long... shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (std * random.nextGaussian());
        }
        return Tensors.of(values, Device.CPU, shape);
    }

    /** A layer, how it is rounded, and both kernels for it. */
    private final class Pair implements AutoCloseable {
        final Linear layer = Linear.xavier(Init.of(3, Device.CPU), IN, OUT);
        final Int8 whole;
        final FakeQuant fake;
        final QuantizedLayer quantized;

        Pair(QuantizationSpec spec) {
            int largest = spec.largest();
            Tensor scale =
                    layer.weight().detach().abs().amax(new long[] {1}, false).div(Tensors.full(largest, Device.CPU));
            Tensor q =
                    Dtype.I8.cast(layer.weight().detach().div(scale.view(-1, 1)).round());
            boolean measured = spec.activations() == Activations.STATIC;
            Tensor inputs = measured ? Tensors.of(new float[] {0.031f, 0.025f}, Device.CPU, 2) : null;
            Tensor zeros = measured ? Tensors.of(new float[] {128, 120}, Device.CPU, 2) : null;
            quantized = new QuantizedLayer(q, scale, inputs, zeros, spec.times());
            whole = new Int8(quantized, layer.bias().orElseThrow(), Dtype.F32);
            fake = new FakeQuant(spec, scale, inputs, zeros);
        }

        @Override
        public void close() {
            whole.close();
            fake.close();
            layer.close();
        }
    }

    private static double relative(Tensor found, Tensor expected) {
        return found.sub(expected).norm().item_double() / expected.norm().item_double();
    }

    @ParameterizedTest
    @EnumSource(
            value = Activations.class,
            names = {"DYNAMIC", "STATIC"})
    void whole_numbers_and_rounded_floats_give_the_same_product(Activations activations) {
        for (Isa isa : Isa.values()) {
            if (isa == Isa.VNNI && IntegerProduct.saturates()) {
                continue;
            }
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on();
                    Pair pair = new Pair(spec(activations, isa));
                    AskedTime asked = AskedTime.of(0.52).begin()) {
                Tensor x = normal(1, 3, 5, IN);
                assertThat(relative(pair.whole.apply(pair.layer, x), pair.fake.apply(pair.layer, x)))
                        .as("%s %s", activations, isa)
                        .isLessThan(1e-5);
                assertThat(relative(pair.whole.geluTanh(pair.layer, x), pair.fake.geluTanh(pair.layer, x)))
                        .isLessThan(1e-3);
                assertThat(relative(pair.whole.apply(pair.layer, x), pair.layer.forward(x)))
                        .isBetween(1e-4, 0.2);
            }
        }
    }

    @Test
    void weights_of_seven_bits_never_saturate() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor w = Tensors.full(63, Device.CPU, 32, 256);
            Tensor x = Tensors.full(255, Device.CPU, 7, 256);
            Tensor packed = IntegerProduct.pack(Dtype.I8.cast(w));
            Tensor y = IntegerProduct.multiply(
                    Dtype.U8.cast(x), 1, 0, packed, Tensors.full(1, Device.CPU, 32), null, Dtype.F32, false);
            assertThat(Tensors.floats(y)).containsOnly(63f * 255 * 256);
        }
    }

    @Test
    void each_sample_is_rounded_by_the_range_of_its_own_time() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Pair pair = new Pair(spec(Activations.STATIC, Isa.ANY))) {
            Tensor x = normal(1, 3, 5, IN);
            Tensor early;
            Tensor late;
            try (AskedTime asked = AskedTime.of(0.9).begin()) {
                early = pair.whole.apply(pair.layer, x);
            }
            try (AskedTime asked = AskedTime.of(0.1).begin()) {
                late = pair.whole.apply(pair.layer, x);
            }
            assertThat(relative(early, late)).isGreaterThan(1e-4);
            Tensor times = Tensors.of(new float[] {0.1f, 0.9f, 0.2f}, Device.CPU, 3);
            try (AskedTime asked = AskedTime.of(times).begin()) {
                Tensor mixed = pair.whole.apply(pair.layer, x);
                assertThat(Tensors.floats(mixed.select(0, 0))).containsExactly(Tensors.floats(late.select(0, 0)));
                assertThat(Tensors.floats(mixed.select(0, 1))).containsExactly(Tensors.floats(early.select(0, 1)));
                assertThat(Tensors.floats(mixed.select(0, 2))).containsExactly(Tensors.floats(late.select(0, 2)));
            }
            assertThatThrownBy(() -> pair.whole.apply(pair.layer, x)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void a_row_does_not_depend_on_the_rows_beside_it() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Pair pair = new Pair(spec(Activations.DYNAMIC, Isa.ANY))) {
            Tensor x = normal(1, 4, 6, IN);
            Tensor loud = x.clone();
            loud.select(0, 3).mul_(new Scalar(50));
            assertThat(Tensors.floats(pair.whole.apply(pair.layer, loud).narrow(0, 0, 3)))
                    .containsExactly(
                            Tensors.floats(pair.whole.apply(pair.layer, x).narrow(0, 0, 3)));
        }
    }

    @Test
    void a_row_of_zeros_stays_zero() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Pair pair = new Pair(spec(Activations.DYNAMIC, Isa.ANY))) {
            Tensor y = pair.whole.apply(pair.layer, Tensors.zeros(Device.CPU, 2, 3, IN));
            assertThat(Tensors.floats(y)).containsOnly(0f); // the bias is zero at the start
        }
    }

    @Test
    void gradients_pass_straight_through_what_is_rounded_and_reach_the_scales_as_LSQ_has_them() {
        QuantizationSpec spec = spec(Activations.NONE, Isa.ANY);
        try (Scope scope = Scope.open();
                Linear layer = Linear.withoutBias(Init.of(3, Device.CPU), 4, 1)) {
            layer.weight().detach().copy_(Tensors.of(new float[] {0.26f, -0.9f, 20f, 0}, Device.CPU, 1, 4));
            try (FakeQuant fake = new FakeQuant(spec, Tensors.of(new float[] {0.1f}, Device.CPU, 1), null, null)) {
                fake.weightScale().set_requires_grad(true);
                Tensor x = Tensors.of(new float[] {1, 2, 3, 4}, Device.CPU, 1, 4);
                x.set_requires_grad(true);
                Tensor y = fake.apply(layer, x);
                assertThat(y.item_double()).isCloseTo(0.3 - 1.8 + 3 * 12.7, within(1e-5));
                y.sum().backward();
                assertThat(Tensors.floats(layer.weight().grad())).containsExactly(1, 2, 0, 4); // the third is clipped
                assertThat(Tensors.floats(x.grad()))
                        .containsExactly(new float[] {0.3f, -0.9f, 12.7f, 0}, within(1e-5f));
                double lsq = 1 * (3 - 2.6) + 2 * (-9 + 9) + 3 * 127;
                assertThat(fake.weightScale().grad().item_double()).isCloseTo(lsq / Math.sqrt(4.0 * 127), within(1e-3));
            }
        }
    }

    @Test
    void four_bit_numbers_come_back_from_their_bytes() {
        try (Scope scope = Scope.open()) {
            float[] values = new float[32];
            for (int i = 0; i < values.length; i++) {
                values[i] = i % 16 - 8;
            }
            Tensor whole = Dtype.I8.cast(Tensors.of(values, Device.CPU, 2, 16));
            Tensor packed = Nibbles.pack(whole);
            assertThat(Tensors.shape(packed)).containsExactly(2, 8);
            assertThat(Tensors.floats(Nibbles.unpack(packed))).containsExactly(values);
        }
    }
}
