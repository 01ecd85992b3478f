package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplePublishedNetworkTest {
    private static final int PIXELS = 784;

    /** Golden values of the published network in PyTorch, float32: the first two outputs, their mean and norm over two samples. */
    @ParameterizedTest
    @CsvSource({
        "1, 2.8388, 0.3314, 0.169809, 90.4251",
        "20, 2.86131, 0.294848, 0.203719, 87.5461",
        "500, 0.923455, -0.237026, 0.101786, 41.3844",
        "1000, 0.785051, -0.337783, 0.0218729, 39.9539"
    })
    void the_noise_it_predicts_is_that_of_the_original(int step, float first, float second, double mean, double norm) {
        try (SamplePublishedNetwork network = network();
                Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = Tensors.of(gaussian(2 * PIXELS, 999), Device.CPU, 2, 1, 28, 28);
            float[] out = Tensors.floats(network.output(x, step));
            double sum = 0;
            double squares = 0;
            for (float value : out) {
                sum += value;
                squares += value * value;
            }
            assertThat(out[0]).isCloseTo(first, Offset.offset(2e-4f));
            assertThat(out[1]).isCloseTo(second, Offset.offset(2e-4f));
            assertThat(sum / out.length).isCloseTo(mean, Offset.offset(2e-5));
            assertThat(Math.sqrt(squares)).isCloseTo(norm, Offset.offset(2e-3));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "dpmpp-2m", "ddpm"})
    void what_three_solvers_draw_is_ink_on_an_empty_ground(String solver) {
        try (SamplePublishedNetwork network = network()) {
            float[] digits = network.sample(SamplePublishedNetwork.plan(solver, 25), 8);
            for (int i = 0; i < 8; i++) {
                int ink = 0;
                int ground = 0;
                for (int p = i * PIXELS; p < (i + 1) * PIXELS; p++) {
                    ink += digits[p] > 0.5 ? 1 : 0;
                    ground += digits[p] < -0.8 ? 1 : 0;
                }
                // digits of MNIST: 4 to 20 % ink, 65 to 90 % ground
                assertThat(ink / (double) PIXELS).as("ink of sample %d", i).isBetween(0.02, 0.3);
                assertThat(ground / (double) PIXELS)
                        .as("ground of sample %d", i)
                        .isGreaterThan(0.5);
            }
        }
    }

    @Test
    void the_process_is_the_one_it_was_trained_on() {
        double at500 = SamplePublishedNetwork.process().schedule().alpha(500);
        assertThat(at500 * at500).isCloseTo(0.0779923, Offset.offset(1e-6));
    }

    /** Box-Muller on the pairs of a linear congruential generator. */
    private static float[] gaussian(int count, long seed) {
        float[] values = new float[count];
        long state = seed;
        for (int i = 0; i < count; i++) {
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFFL;
            double radius = Math.sqrt(-2 * Math.log(Math.max(state / 4294967296.0, 1e-12)));
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFFL;
            values[i] = (float) (radius * Math.cos(2 * Math.PI * state / 4294967296.0));
        }
        return values;
    }

    private static SamplePublishedNetwork network() {
        Path file = Path.of("../../shared/weights/ddpm-mnist-cnn/ddpm_mnist_starter.pth");
        Assumptions.assumeTrue(Files.exists(file), "skipped: shared/weights/ddpm-mnist-cnn is not here");
        return new SamplePublishedNetwork(file);
    }
}
