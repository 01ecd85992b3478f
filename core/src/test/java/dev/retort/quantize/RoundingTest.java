package dev.retort.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.error.RetortException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RoundingTest {
    private static float[] normal(int count) {
        Random random = new Random(5);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static double error(float[] weights, byte[] whole, float scale, float[] squares) {
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += squares[i] * Math.pow(weights[i] - whole[i] * scale, 2);
        }
        return sum;
    }

    @Test
    void a_searched_scale_clips_where_that_changes_the_output_less() {
        float[] weights = normal(64);
        weights[7] = 5;
        float[] quiet = new float[64];
        Arrays.fill(quiet, 1);
        byte[] plain = new byte[64];
        byte[] clipped = new byte[64];
        float whole = new RowRounding(7, 1).round(weights, 0, 64, quiet, 0, plain);
        float searched = new RowRounding(7, 0.4).round(weights, 0, 64, quiet, 0, clipped);
        assertThat(whole).isCloseTo(5f / 7, within(1e-6f));
        assertThat(searched).isLessThan(whole);
        assertThat(error(weights, clipped, searched, quiet)).isLessThan(0.9 * error(weights, plain, whole, quiet));
        assertThat(clipped[7]).isEqualTo((byte) 7);
        quiet[7] = 1000; // the input that meets the large weight is loud: now it must not be clipped
        assertThat(new RowRounding(7, 0.4).round(weights, 0, 64, quiet, 0, clipped))
                .isGreaterThan(0.9f * whole);
    }

    @Test
    void a_row_of_zeros_is_zero_in_any_scale() {
        byte[] whole = {1, 1, 1};
        assertThat(new RowRounding(127, 0.5).round(new float[3], 0, 3, new float[3], 0, whole))
                .isEqualTo(1f);
    }

    @Test
    void the_range_of_what_GELU_makes_lies_almost_all_above_zero() {
        float[] some = new float[1000];
        for (int i = 0; i < some.length; i++) {
            some[i] = -0.17f + 4.17f * i / (some.length - 1);
        }
        InputRange range = InputRange.search(-0.17f, 4, some, new float[] {1});
        assertThat(range.zeroPoint()).isBetween(9, 11);
        assertThat(range.scale()).isCloseTo(4.17f / 255, within(1e-4f));
    }

    @Test
    void what_almost_never_occurs_is_clipped() {
        assertThat(InputRange.search(-4, 40, normal(4000), new float[] {1}).scale())
                .isLessThan(44f / 255 * 0.85f);
    }

    @Test
    void smoothing_moves_range_from_inputs_to_weights_by_the_power_alpha() {
        float[] largest = {1, 100};
        float[] weights = {1, 1, -1, 1}; // (2, 2)
        float[] half = SmoothQuant.factors(largest, weights, 0.5);
        assertThat(half[1] / half[0]).isCloseTo(10, within(1e-4f));
        assertThat(half[0] * half[1]).isCloseTo(1, within(1e-5f));
        float[] all = SmoothQuant.factors(largest, weights, 1);
        assertThat(all[1] / all[0]).isCloseTo(100, within(1e-3f));
    }

    @Test
    void layers_are_kept_by_name_or_pattern() {
        List<String> layers = List.of("a.b", "a.c", "d");
        assertThat(new KeptLayers(List.of("a.*"), layers).others()).containsExactly("d");
        assertThat(new KeptLayers(List.of("a.b", "x*"), layers).others()).containsExactly("a.c", "d");
        assertThatThrownBy(() -> new KeptLayers(List.of("a.d"), layers))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("keep.0 is 'a.d'");
        assertThatThrownBy(() -> new KeptLayers(List.of("*"), layers)).hasMessageContaining("every layer");
    }
}
