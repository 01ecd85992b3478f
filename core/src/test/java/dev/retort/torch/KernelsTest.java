package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.retort.error.RetortException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every kernel computes what libtorch's own does, with its gradients, to rounding. */
@Tag("kernels")
class KernelsTest {
    private static final double ROUNDING = 2e-5;

    private Kernels before;

    @BeforeEach
    void remember() {
        before = Kernels.current();
    }

    @AfterEach
    void restore() {
        Kernels.use(before, "restored");
    }

    @ParameterizedTest
    @EnumSource(Kernels.Linear.class)
    void a_product_and_its_gradients_are_those_of_libtorch(Kernels.Linear kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        for (long[] shape : new long[][] {{3, 5, 7}, {640, 48, 200}, {33, 1, 16}, {1, 300, 2000}}) {
            try (Scope scope = Scope.open()) {
                Tensor x = values(shape[0], shape[1]).set_requires_grad(true);
                Tensor w = values(shape[2], shape[1]).set_requires_grad(true);
                Tensor b = values(shape[2]).set_requires_grad(true);
                Supplier<Tensor> product = () -> Ops.linear(x, w, b);
                compare(gradients(Kernels.libtorch(), product, x, w, b), gradients(with(kernel), product, x, w, b));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Linear.class)
    void gradients_of_several_uses_add_up_and_inputs_may_be_views(Kernels.Linear kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        try (Scope scope = Scope.open()) {
            Tensor x = values(4, 24, 9).set_requires_grad(true);
            Tensor w = values(24, 24).set_requires_grad(true);
            Supplier<Tensor> twice =
                    () -> Ops.linear(Ops.linear(x.transpose(1, 2), w, null).mul(x.transpose(1, 2)), w, null);
            compare(gradients(Kernels.libtorch(), twice, x, w), gradients(with(kernel), twice, x, w));
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Linear.class)
    void parameters_learn_where_the_input_wants_no_gradient(Kernels.Linear kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        try (Scope scope = Scope.open()) {
            Tensor x = values(12, 8);
            Tensor w = values(6, 8).set_requires_grad(true);
            Tensor b = values(6).set_requires_grad(true);
            Supplier<Tensor> product = () -> Ops.linear(x, w, b);
            compare(gradients(Kernels.libtorch(), product, w, b), gradients(with(kernel), product, w, b));
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Attention.class)
    void attention_and_its_gradient_are_those_of_three_plain_ops(Kernels.Attention kernel) {
        for (long[] shape : new long[][] {{2, 3, 16, 8}, {1, 2, 130, 24}, {5, 4, 49, 64}, {1, 1, 1, 4}}) {
            try (Scope scope = Scope.open()) {
                int heads = (int) shape[1];
                Tensor joint = values(shape[0], shape[2], 3 * heads * shape[3]).set_requires_grad(true);
                Supplier<Tensor> attention = () -> Ops.attention(joint, heads, 0.7);
                compare(gradients(Kernels.libtorch(), attention, joint), gradients(with(kernel), attention, joint));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Attention.class)
    void attention_of_separate_parts_may_have_more_keys_than_queries(Kernels.Attention kernel) {
        try (Scope scope = Scope.open()) {
            Tensor q = values(2, 3, 5, 8).set_requires_grad(true);
            Tensor k = values(2, 3, 11, 8);
            Tensor v = values(2, 11, 3, 8).set_requires_grad(true);
            Supplier<Tensor> attention = () -> Ops.attention(q, k, v.transpose(1, 2), null, 1);
            compare(gradients(Kernels.libtorch(), attention, q, v), gradients(with(kernel), attention, q, v));
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Convolution.class)
    void a_convolution_and_its_gradients_are_those_of_libtorch(Kernels.Convolution kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        try (Scope scope = Scope.open()) {
            Tensor x = values(2, 6, 10, 8).set_requires_grad(true);
            Tensor w = values(12, 6, 3, 3).set_requires_grad(true);
            Tensor b = values(12).set_requires_grad(true);
            Supplier<Tensor> convolution = () -> Ops.conv2d(x, w, b, 2, 1);
            compare(gradients(Kernels.libtorch(), convolution, x, w, b), gradients(with(kernel), convolution, x, w, b));
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Convolution.class)
    void a_convolution_is_right_where_channels_fill_the_last_vector_in_part(Kernels.Convolution kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            for (int out : new int[] {24, 48}) {
                Tensor x = values(50, 24, 8, 8);
                Tensor w = values(out, 24, 3, 3);
                Tensor exact = Dispatch.conv2d(
                        kernel, x.to(torch.ScalarType.Double), w.to(torch.ScalarType.Double), null, 1, 1);
                Tensor error = Dispatch.conv2d(kernel, x, w, null, 1, 1)
                        .to(torch.ScalarType.Double)
                        .sub(exact);
                assertThat(error.norm().item_double() / exact.norm().item_double())
                        .isLessThan(1e-5);
            }
        }
    }

    @Test
    void whatever_is_chosen_convolves_rightly() {
        assertThat(RightConvolution.is(Kernels.current().convolution())).isTrue();
        assertThat(RightConvolution.is(Kernels.libtorch().convolution())).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void a_product_is_the_same_whoever_takes_which_part(int threads) {
        Team team = new Team(threads);
        try (Scope scope = Scope.open()) {
            Tensor a = values(3, 4, 150, 70);
            Tensor b = values(3, 4, 70, 90);
            Tensor exact = a.to(torch.ScalarType.Double).matmul(b.to(torch.ScalarType.Double));
            Tensor first = null;
            for (int i = 0; i < 20; i++) {
                Tensor out = Tensors.full(1, Device.CPU, 3, 4, 150, 90);
                BlasProducts.multiply(team, a, b, out, 2, 3);
                Tensor wanted = Ops.add(Ops.mul(exact, 2), 3);
                assertThat(largest(out.to(torch.ScalarType.Double).sub(wanted))).isLessThan(1e-4);
                first = first == null ? out : first;
                assertThat(torch.equal(first, out)).isTrue();
            }
        } finally {
            team.stop();
        }
    }

    @Test
    void what_a_part_throws_reaches_the_caller_and_the_team_works_on() {
        Team team = new Team(3);
        try {
            assertThatThrownBy(() -> team.run(8, i -> {
                        if (i == 5) {
                            throw new IllegalStateException("part " + i);
                        }
                    }))
                    .hasMessage("part 5");
            List<Integer> seen = java.util.Collections.synchronizedList(new ArrayList<>());
            team.run(8, seen::add);
            assertThat(seen).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7);
        } finally {
            team.stop();
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Half.class)
    void weights_in_bf16_multiply_to_bf16_rounding(Kernels.Half kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = values(20, 64);
            Tensor w = values(48, 64);
            Tensor exact = x.matmul(w.t());
            Tensor weight = Dtype.BF16.cast(w);
            Tensor y = kernel == Kernels.Half.ONEDNN
                    ? PackedProduct.multiply(Dtype.BF16.cast(x), PackedProduct.pack(weight), null, "none", null)
                    : PackedProduct.widened(x, weight, Dtype.BF16.cast(Tensors.zeros(Device.CPU, 48)));
            double error = Dtype.F32.cast(y).sub(exact).norm().item_double()
                    / exact.norm().item_double();
            assertThat(error).isLessThan(1e-2);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {16, 24, 48, 64, 80, 96, 192, 384, 1536})
    void weights_are_packed_only_where_the_libraries_then_multiply_right(long width) {
        assumeTrue(PackedProduct.possible(Dtype.F32, width), "a weight " + width + " wide is not packed on this CPU");
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            for (long in : new long[] {1, 7, 64, 192}) {
                Tensor x = values(5, in);
                Tensor w = values(width, in);
                compare(
                        List.of(x.matmul(w.t())),
                        List.of(PackedProduct.multiply(x, PackedProduct.pack(w), null, "none", null)));
            }
        }
    }

    @Test
    void a_fused_activation_and_its_gradient_are_those_of_libtorch() {
        for (long[] shape : new long[][] {{1, 2}, {3, 5, 30}, {7, 41, 600}}) {
            try (Scope scope = Scope.open()) {
                // beyond where tanh is flat, on both sides
                Tensor x = Ops.mul(values(shape), 12).set_requires_grad(true);
                compareFused(Kernels.libtorch(), () -> Ops.geluTanh(x), x);
            }
        }
    }

    @Test
    void an_activation_is_computed_by_what_is_said_to() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = Ops.mul(values(40, 50), 6);
            float[] fused = new float[2000];
            FloatMath.geluTanh(Tensors.floats(x), fused, fused.length);
            float[] plain = Tensors.floats(torch.gelu(x, "tanh"));
            assertThat(fused).isNotEqualTo(plain);
            Supplier<Tensor> gelu = () -> Ops.geluTanh(x);
            assertThat(Tensors.floats(value(Kernels.libtorch(), gelu))).isEqualTo(plain);
            assertThat(Tensors.floats(value(Kernels.libtorch().with(Kernels.Elementwise.FUSED), gelu)))
                    .isEqualTo(fused);
        }
    }

    @ParameterizedTest
    @EnumSource(Kernels.Linear.class)
    void an_activation_after_a_product_and_its_gradients_are_those_of_libtorch(Kernels.Linear kernel) {
        assumeTrue(KernelProbe.possible(kernel), kernel.words() + " is not for this CPU");
        try (Scope scope = Scope.open()) {
            Tensor x = values(5, 70, 48).set_requires_grad(true);
            Tensor w = values(200, 48).set_requires_grad(true);
            Tensor b = values(200).set_requires_grad(true);
            compareFused(with(kernel), () -> Ops.linearGeluTanh(x, w, b), x, w, b);
        }
    }

    @Test
    void a_fused_norm_is_that_of_libtorch() {
        // a width that fills no vector, and enough rows for several threads
        for (long[] shape : new long[][] {{1, 1, 2}, {3, 5, 30}, {2, 600, 129}}) {
            long width = shape[2];
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                Tensor x = Ops.add(values(shape), 0.3);
                Tensor[] m = Ops.chunk(values(shape[0], 1, 2 * width), 2, -1);
                for (Tensor weight : new Tensor[] {null, Ops.add(values(width), 1)}) {
                    Supplier<Tensor> norm = () -> Ops.modulatedNorm(x, weight, m[0], m[1], 1e-6);
                    compare(
                            List.of(value(Kernels.libtorch(), norm)),
                            List.of(value(Kernels.libtorch().with(Kernels.Elementwise.FUSED), norm)));
                }
            }
        }
    }

    @Test
    void a_choice_is_written_and_read() {
        Kernels some = new Kernels(
                Kernels.Linear.BLAS_THREADS,
                Kernels.Attention.FUSED,
                Kernels.Convolution.ONEDNN_CHANNELS_LAST,
                Kernels.Half.ONEDNN,
                Kernels.Elementwise.FUSED);
        assertThat(Kernels.parse(some.toString())).isEqualTo(some);
        assertThat(some.toString())
                .isEqualTo("linear=blas-threads,attention=fused,convolution=onednn-channels-last,half=onednn,"
                        + "elementwise=fused");
        assertThatThrownBy(() -> Kernels.parse("linear=cublas"))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("linear=cublas")
                .hasMessageContaining("shared");
        assertThatThrownBy(() -> Kernels.parse("speed=high")).isInstanceOf(RetortException.class);
    }

    @Test
    void the_probe_ends_in_time_and_gives_figures_for_every_candidate() {
        KernelProbe.Result result = KernelProbe.measure();
        assertThat(result.seconds()).isLessThan(20); // two on an idle machine
        assertThat(result.figures())
                .allSatisfy((name, gflops) -> assertThat(gflops).isPositive());
        assertThat(result.figures().keySet())
                .anyMatch(name -> name.startsWith("block") && name.endsWith("shared"))
                .anyMatch(name -> name.startsWith("attention") && name.endsWith("plain"))
                .anyMatch(name -> name.startsWith("convolution"))
                .anyMatch(name -> name.startsWith("bf16"));
    }

    @Test
    void the_probe_may_be_asked_first_where_gradients_are_off_or_products_are_cast() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autocast cast = Autocast.to(Precision.BF16, Device.CPU)) {
            assertThat(KernelProbe.measure().figures()).isNotEmpty();
            assertThat(org.bytedeco.pytorch.GradMode.is_enabled()).isFalse();
            assertThat(Autocast.isOn(Device.CPU)).isTrue();
        }
    }

    private static Kernels with(Kernels.Linear kernel) {
        return Kernels.libtorch().with(kernel).with(Kernels.Half.WIDENED);
    }

    private static Kernels with(Kernels.Attention kernel) {
        return Kernels.libtorch().with(kernel).with(Kernels.Half.WIDENED);
    }

    private static Kernels with(Kernels.Convolution kernel) {
        return Kernels.libtorch().with(kernel).with(Kernels.Half.WIDENED);
    }

    private static void compareFused(Kernels others, Supplier<Tensor> function, Tensor... leaves) {
        compare(
                gradients(Kernels.libtorch(), function, leaves),
                gradients(others.with(Kernels.Elementwise.FUSED), function, leaves));
    }

    private static Tensor value(Kernels kernels, Supplier<Tensor> function) {
        Kernels.use(kernels, "tested");
        return function.get();
    }

    /** The value and the gradients of a sum in which every element has a weight of its own. */
    private static List<Tensor> gradients(Kernels kernels, Supplier<Tensor> function, Tensor... leaves) {
        Tensor value = value(kernels, function);
        value.mul(values(Tensors.shape(value))).sum().backward();
        List<Tensor> all = new ArrayList<>(List.of(value.detach()));
        for (Tensor leaf : leaves) {
            all.add(leaf.grad().clone());
            leaf.mutable_grad().reset();
        }
        return all;
    }

    private static void compare(List<Tensor> expected, List<Tensor> actual) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(Tensors.shape(actual.get(i))).isEqualTo(Tensors.shape(expected.get(i)));
            double scale = Math.max(1e-3, largest(expected.get(i)));
            assertThat(largest(actual.get(i).sub(expected.get(i))) / scale).isCloseTo(0, within(ROUNDING));
        }
    }

    private static double largest(Tensor tensor) {
        return tensor.abs().max().item_double();
    }

    /** Numbers without a pattern, the same at each call. */
    private static Tensor values(long... shape) {
        int count = 1;
        for (long size : shape) {
            count *= (int) size;
        }
        float[] numbers = new float[count];
        java.util.Random random = new java.util.Random(count);
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return Tensors.of(numbers, Device.CPU, shape);
    }
}
