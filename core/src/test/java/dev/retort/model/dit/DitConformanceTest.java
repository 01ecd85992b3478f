package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.SineModel;
import dev.retort.layout.PositionTable;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/** Published numbers of the reference implementation, checked without any file. */
class DitConformanceTest {
    private static final double ALLOWED = 1e-5;

    @Test
    void the_forward_pass_of_the_sine_model_gives_the_published_numbers() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = SineModel.create()) {
            Tensor out = dit.forward(
                    SineModel.wave(1, 0.1, 0, 2, 4, 8, 8),
                    Tensors.of(new float[] {7, 503}, Device.CPU, 2),
                    Conditions.classes(3, 10),
                    Taps.none());
            assertThat(Tensors.shape(out)).containsExactly(2, 8, 8, 8);
            assertThat(Tensors.scalar(out.mean())).isCloseTo(0.0123150, within(ALLOWED));
            assertThat(Tensors.scalar(out.abs().mean())).isCloseTo(0.2707096, within(ALLOWED));
            assertThat(Tensors.scalar(out.std())).isCloseTo(0.3250319, within(ALLOWED));
            assertThat(Tensors.floats(out.select(0, 0).select(0, 0).select(0, 0).narrow(0, 0, 4)))
                    .containsExactly(new float[] {-0.033119f, -0.018589f, -0.012993f, -0.148002f}, within(1e-5f));
            assertThat(Tensors.floats(out.select(0, 1).select(0, 7).select(0, 7).narrow(0, 4, 4)))
                    .containsExactly(new float[] {0.383221f, 0.197389f, 0.409293f, 0.048765f}, within(1e-5f));
        }
    }

    @Test
    void time_features_are_cosines_then_sines() {
        try (Scope scope = Scope.open()) {
            float[] features = Tensors.floats(TimestepEmbedder.features(Tensors.of(new float[] {1}, Device.CPU, 1), 0));
            float[] seen = {features[0], features[1], features[2], features[128], features[129], features[130]};
            assertThat(seen)
                    .containsExactly(
                            new float[] {0.540302f, 0.597375f, 0.647906f, 0.841471f, 0.801962f, 0.761720f},
                            within(2e-6f));
        }
    }

    @Test
    void the_position_table_counts_columns_first() {
        double[] table = PositionTable.sinCos(16, 16, 384);
        assertThat(at(table, 1)).containsExactly(new double[] {0.841471, 0.788593, 0.540302, 0, 1}, within(1e-6));
        assertThat(at(table, 16)).containsExactly(new double[] {0, 0, 1, 0.841471, 0.540302}, within(1e-6));
    }

    private static double[] at(double[] table, int token) {
        int from = token * 384;
        return new double[] {table[from], table[from + 1], table[from + 96], table[from + 192], table[from + 288]};
    }
}
