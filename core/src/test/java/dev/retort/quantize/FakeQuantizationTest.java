package dev.retort.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.QuantizationSpec;
import dev.retort.card.QuantizationSpec.Activations;
import dev.retort.card.QuantizationSpec.Isa;
import dev.retort.nn.FakeQuant;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.AdamW;
import dev.retort.train.OptimizerConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class FakeQuantizationTest {
    private static final int WIDTH = 32;
    private static final int KINDS = 4;

    private final Random random = new Random(5);

    private static QuantizationSpec spec(int bits, Activations activations, String... layers) {
        return new QuantizationSpec(bits, 0, activations, Isa.ANY, 0, List.of(), List.of(layers), Map.of());
    }

    /** Two products with a GELU between. */
    private static final class Mlp extends Layer {
        final Linear first = child("first", Linear.xavier(Init.of(1, Device.CPU).at("first"), WIDTH, 4 * WIDTH));
        final Linear second =
                child("second", Linear.xavier(Init.of(1, Device.CPU).at("second"), 4 * WIDTH, WIDTH));

        Tensor forward(Tensor x) {
            return second.forward(first.forwardGeluTanh(x));
        }
    }

    private Tensor normal(int rows, int width) {
        float[] values = new float[rows * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensors.of(values, Device.CPU, rows, width);
    }

    private static double error(Mlp found, Mlp wanted, Tensor x) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor expected = wanted.forward(x);
            return found.forward(x).sub(expected).norm().item_double()
                    / expected.norm().item_double();
        }
    }

    @Test
    void training_takes_a_half_off_the_error_that_four_bits_leave_after_calibration() {
        try (Scope scope = Scope.open();
                Mlp teacher = new Mlp();
                Mlp student = new Mlp()) {
            Tensor mixing = normal(KINDS, WIDTH); // inputs depend on each other, as a network's do
            Tensor calibration = normal(256, KINDS).matmul(mixing);
            Tensor heldOut = normal(256, KINDS).matmul(mixing);
            new FakeQuantization(spec(4, Activations.NONE, "first", "second"), 0.5, () -> student.forward(calibration))
                    .attachMeasured(student);
            double before = error(student, teacher, heldOut);
            try (AdamW adam =
                    new AdamW(student.parameters(), new OptimizerConfig(2e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 0))) {
                for (int step = 0; step < 300; step++) {
                    try (Scope each = Scope.open()) {
                        Tensor x = normal(64, KINDS).matmul(mixing);
                        Tensor difference =
                                student.forward(x).sub(teacher.forward(x).detach());
                        difference.square().mean().backward();
                        adam.step(2e-3 * (1 - step / 300.0));
                        adam.dropGradients();
                    }
                }
            }
            double after = error(student, teacher, heldOut);
            assertThat(before).isGreaterThan(0.05);
            assertThat(after).isLessThan(before / 2);
        }
    }

    /** LSQ with what each value is rounded by held: v̂(s) = v + s·(round(v / s) - v / s) inside, s·bound where it is clipped. */
    private static double held(double[] values, double[] factors, double at, double scale, int low, int high) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            double level = values[i] / at;
            double whole = Math.rint(level);
            double read = whole < low ? scale * low : whole > high ? scale * high : values[i] + scale * (whole - level);
            sum += factors[i] * read;
        }
        return sum;
    }

    /** By the scale's power, times the paper's 1 / √(n·most). */
    private static double slope(double[] values, double[] factors, double scale, int low, int high, int most) {
        double h = 1e-4;
        return 1
                / Math.sqrt((double) values.length * most)
                * (held(values, factors, scale, scale * Math.exp(h), low, high)
                        - held(values, factors, scale, scale * Math.exp(-h), low, high))
                / (2 * h);
    }

    @Test
    void gradients_of_the_powers_of_scales_are_the_differences_of_LSQs_formula() {
        try (Scope scope = Scope.open();
                Linear layer = Linear.withoutBias(Init.of(3, Device.CPU), WIDTH, 1)) {
            Tensor x = normal(1, WIDTH);
            float zero = 100;
            layer.quantize(new FakeQuant(
                    spec(8, Activations.STATIC, "layer"),
                    Tensors.full(0.003, Device.CPU, 1), // some weights lie beyond 63 of these
                    Tensors.full(0.008, Device.CPU, 1), // and some inputs beyond 155
                    Tensors.full(zero, Device.CPU, 1)));
            layer.forward(x).sum().backward();
            double[] weights = doubles(layer.weight());
            double[] inputs = doubles(x);
            double[] roundedWeights = rounded(weights, 0.003, -63, 63);
            double[] roundedInputs = rounded(inputs, 0.008, -100, 155);
            Map<String, Tensor> parameters = layer.parameters();
            assertThat(parameters.get("fake_quant.weight_power").grad().item_double())
                    .isCloseTo(slope(weights, roundedInputs, 0.003, -63, 63, 63), within(1e-4));
            assertThat(parameters.get("fake_quant.input_power").grad().item_double())
                    .isCloseTo(slope(inputs, roundedWeights, 0.008, -100, 155, 255), within(1e-4));
            assertThat(Arrays.stream(weights)
                            .filter(w -> Math.abs(w) > 63.5 * 0.003)
                            .count())
                    .isBetween(1L, WIDTH - 1L);
            assertThat(Arrays.stream(inputs)
                            .filter(v -> v > 155.5 * 0.008 || v < -100.5 * 0.008)
                            .count())
                    .isBetween(1L, WIDTH - 1L);
        }
    }

    private static double[] doubles(Tensor tensor) {
        float[] values = Tensors.floats(tensor);
        double[] all = new double[values.length];
        Arrays.setAll(all, i -> values[i]);
        return all;
    }

    private static double[] rounded(double[] values, double scale, int low, int high) {
        return Arrays.stream(values)
                .map(v -> scale * Math.max(low, Math.min(high, Math.rint(v / scale))))
                .toArray();
    }
}
