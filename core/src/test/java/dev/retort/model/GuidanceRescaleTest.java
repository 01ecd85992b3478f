package dev.retort.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import org.junit.jupiter.api.Test;

class GuidanceRescaleTest {
    private static final int SIZE = 3 * 4;

    private static double std(double[] values) {
        double mean = 0;
        for (double value : values) {
            mean += value / values.length;
        }
        double sum = 0;
        for (double value : values) {
            sum += (value - mean) * (value - mean);
        }
        return Math.sqrt(sum / (values.length - 1)); // unbiased, as torch.std; the ratio is the same either way
    }

    @Test
    void each_sample_gets_back_its_own_contrast_and_channels_that_are_not_guided_stay() {
        float[] both = new float[2 * 2 * SIZE];
        for (int i = 0; i < both.length; i++) {
            both[i] = (float) Math.sin(i * i * 0.7 + 1) * (i < SIZE ? 2 : 1);
        }
        try (Scope scope = Scope.open()) {
            float[] out = Tensors.floats(Predictor.guided(Tensors.of(both, Device.CPU, 4, 3, 2, 2), 4, 2, 0.7));
            for (int sample = 0; sample < 2; sample++) {
                double[] c = new double[8];
                double[] g = new double[8];
                for (int i = 0; i < 8; i++) {
                    c[i] = both[sample * SIZE + i];
                    double u = both[(sample + 2) * SIZE + i];
                    g[i] = u + 4 * (c[i] - u);
                }
                double factor = 0.7 * std(c) / std(g) + 0.3;
                for (int i = 0; i < SIZE; i++) {
                    double wanted = i < 8 ? g[i] * factor : both[sample * SIZE + i];
                    assertThat((double) out[sample * SIZE + i]).isCloseTo(wanted, within(1e-5));
                }
            }
        }
    }
}
