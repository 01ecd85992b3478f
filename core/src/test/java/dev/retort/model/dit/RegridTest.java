package dev.retort.model.dit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Conditions;
import dev.retort.card.DitSpec;
import dev.retort.error.RetortException;
import dev.retort.nn.Init;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class RegridTest {
    private static Dit dit(int height, int width, int hidden) {
        return new Dit(new DitSpec(height, width, 1, 2, hidden, 1, 2, 2, 3, 0.1, false, false), Init.of(5, Device.CPU));
    }

    private static float[] positions(Dit dit) {
        return Tensors.floats(dit.state().get("pos_embed"));
    }

    @Test
    void four_tokens_of_twice_the_size_lie_around_one_of_the_old() {
        try (Scope scope = Scope.open();
                Dit small = dit(8, 12, 16);
                Dit large = dit(16, 24, 16)) {
            Regrid.copy(small, large);
            float[] table = positions(large);
            // column features of token (0, 0): the middle of its patch is a quarter of an old patch left of the old
            // middle
            assertThat(table[0]).isCloseTo((float) Math.sin(-0.25), within(1e-6f));
            assertThat(table[16]).isCloseTo((float) Math.sin(0.25), within(1e-6f));
            // row features of token (3, 0): old place 1.25
            assertThat(table[3 * 12 * 16 + 8]).isCloseTo((float) Math.sin(1.25), within(1e-5f));
            for (String name : small.state().keySet()) {
                if (!name.equals("pos_embed")) {
                    assertThat(Tensors.floats(large.state().get(name)))
                            .as(name)
                            .isEqualTo(Tensors.floats(small.state().get(name)));
                }
            }
        }
    }

    @Test
    void there_and_back_is_where_one_was_and_the_same_size_changes_nothing() {
        try (Scope scope = Scope.open();
                Dit small = dit(8, 12, 16);
                Dit large = dit(24, 12, 16);
                Dit back = dit(8, 12, 16);
                Dit same = dit(8, 12, 16)) {
            Regrid.copy(small, same);
            assertThat(positions(same)).containsExactly(positions(small), within(1e-6f));
            Regrid.copy(small, large);
            Regrid.copy(large, back);
            assertThat(positions(back)).containsExactly(positions(small), within(1e-5f));
        }
    }

    @Test
    void a_smooth_picture_is_answered_alike_at_both_sizes() {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit small = dit(16, 16, 32);
                Dit large = dit(32, 32, 32);
                Dit plain = dit(32, 32, 32)) {
            small.state().forEach((name, tensor) -> {
                if (!name.equals("pos_embed")) {
                    tensor.copy_(Init.of(9, Device.CPU).normal(name, 0.1, Tensors.shape(tensor)));
                }
            });
            Regrid.copy(small, large);
            plain.state().forEach((name, tensor) -> {
                if (!name.equals("pos_embed")) {
                    tensor.copy_(small.state().get(name));
                }
            });
            Tensor flat = Tensors.full(0.3, Device.CPU, 1, 1, 16, 16);
            float[] seen = answer(small, flat);
            assertThat(distance(seen, answer(large, Ops.doubleSize(flat))))
                    .isLessThan(0.5 * distance(seen, answer(plain, Ops.doubleSize(flat))));
        }
    }

    /** Mean of each quarter of the picture's rows and columns. */
    private static float[] answer(Dit dit, Tensor x) {
        Tensor out = dit.forward(x, Tensors.full(300, Device.CPU, 1), Conditions.classes(1), Taps.none());
        return Tensors.floats(Ops.adaptiveAveragePool(out, 4, 4));
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    @Test
    void a_network_of_another_shape_is_refused_by_name_and_nothing_is_copied() {
        try (Scope scope = Scope.open();
                Dit small = dit(8, 8, 16);
                Dit wide = dit(16, 16, 32);
                Dit modern =
                        new Dit(new DitSpec(8, 8, 1, 2, 16, 1, 2, 2, 3, 0.1, false, true), Init.of(5, Device.CPU));
                Dit odd = dit(8, 8, 16)) {
            float[] before = positions(wide);
            assertThatThrownBy(() -> Regrid.copy(small, wide))
                    .isInstanceOf(RetortException.class)
                    .hasMessageContaining("x_embedder.proj.weight")
                    .hasMessageContaining("height and width alone");
            assertThat(positions(wide)).isEqualTo(before);
            assertThatThrownBy(() -> Regrid.copy(small, modern))
                    .hasMessageContaining("modern and convention are 2, 2, false");
            try (NoGrad off = NoGrad.on()) {
                Ops.fill(odd.state().get("pos_embed"), 0.5);
            }
            assertThatThrownBy(() -> Regrid.copy(odd, small)).hasMessageContaining("not a table of sines");
        }
    }
}
