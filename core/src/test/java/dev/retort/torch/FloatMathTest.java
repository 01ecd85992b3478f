package dev.retort.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Against double precision. */
class FloatMathTest {
    private static final int N = 10_001;
    private static final FloatMath.Bits SCRATCH = new FloatMath.Bits(N);

    @Test
    void exp_is_right_to_the_last_digits_down_to_the_smallest_normal_number() {
        float[] x = new float[N];
        for (int i = 0; i < N; i++) {
            x[i] = -87.3f * i / (N - 1);
        }
        float[] y = x.clone();
        FloatMath.exp(y, N, SCRATCH);
        for (int i = 0; i < N; i++) {
            assertThat(y[i] / Math.exp(x[i])).isCloseTo(1, within(3e-7));
        }
        float[] ends = {0, -1e-30f, -90, Float.NEGATIVE_INFINITY, Float.NaN};
        FloatMath.exp(ends, ends.length, SCRATCH);
        assertThat(ends[0]).isEqualTo(1);
        assertThat(ends[1]).isEqualTo(1);
        assertThat(ends[2]).isBetween(0f, 1.2e-38f);
        assertThat(ends[3]).isBetween(0f, 1.2e-38f);
        assertThat(ends[4]).isNaN();
    }

    @Test
    void softmax_of_each_row_sums_to_one_whatever_its_size() {
        float[] x = {1, 2, 3, -1000, 1000, 999, 5e4f, 5e4f, 5e4f};
        FloatMath.softmax(x, 3, 3, SCRATCH);
        double e = Math.E;
        double sum = 1 + e + e * e;
        assertThat(x[0]).isCloseTo((float) (1 / sum), within(1e-7f));
        assertThat(x[2]).isCloseTo((float) (e * e / sum), within(1e-7f));
        assertThat(x[3]).isLessThan(1e-37f);
        assertThat(x[4]).isCloseTo((float) (e / (1 + e)), within(1e-7f));
        assertThat(x[6]).isCloseTo(1 / 3f, within(1e-7f));
    }

    @Test
    void gelu_and_its_gradient_are_right_everywhere() {
        float[] x = new float[N];
        for (int i = 0; i < N; i++) {
            x[i] = 12f * (2 * i - N + 1) / (N - 1);
        }
        float[] y = new float[N];
        FloatMath.geluTanh(x, y, N);
        float[] g = new float[N];
        Arrays.fill(g, 1);
        FloatMath.geluTanhGradient(x, g, new float[N], N);
        double k = Math.sqrt(2 / Math.PI);
        for (int i = 0; i < N; i++) {
            double v = x[i];
            double t = Math.tanh(k * (v + 0.044715 * v * v * v));
            assertThat((double) y[i]).isCloseTo(0.5 * v * (1 + t), within(1e-6 * Math.max(1, Math.abs(v))));
            double slope = 0.5 * (1 + t) + 0.5 * v * (1 - t * t) * k * (1 + 3 * 0.044715 * v * v);
            assertThat((double) g[i]).isCloseTo(slope, within(5e-6));
        }
    }

    @Test
    void sums_take_every_value_whatever_the_number() {
        for (int n : new int[] {1, 7, 8, 9, 64, 129}) {
            float[] x = new float[n];
            for (int i = 0; i < n; i++) {
                x[i] = i + 1;
            }
            assertThat(FloatMath.sum(x, n)).isEqualTo(n * (n + 1) / 2f);
            assertThat(FloatMath.dot(x, x, new float[n], n)).isEqualTo(n * (n + 1) * (2 * n + 1) / 6f);
        }
    }
}
