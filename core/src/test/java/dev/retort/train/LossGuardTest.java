package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.config.CardFile;
import dev.retort.error.RetortException;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

class LossGuardTest {
    private static LossGuard after(int steps, IntToDoubleFunction loss) {
        LossGuard guard = new LossGuard(LossGuard.Memory.NONE);
        for (int i = 0; i < steps; i++) {
            assertThat(guard.accept(loss.applyAsDouble(i), 1 + 0.5 * Math.sin(3 * i), i))
                    .as("step " + i)
                    .isTrue();
        }
        return guard;
    }

    @Test
    void losses_that_are_negative_or_cross_zero_or_fall_below_it_are_nothing_unusual() {
        after(300, i -> -4 + Math.sin(i));
        after(300, Math::sin);
        after(300, i -> 5 - 0.1 * i);
        after(300, i -> 100 * Math.exp(-i / 20.0) - 3);
        after(300, i -> i % 7 == 0 ? 0.5 : 0); // a hinge, 0 more often than not
    }

    @Test
    void what_is_far_from_the_running_median_on_either_side_is_not_taken() {
        LossGuard guard = after(200, i -> -4 + Math.sin(i));
        assertThat(guard.accept(-30, 1, 200)).isTrue();
        assertThat(guard.accept(60, 1, 201)).isFalse();
        assertThat(guard.accept(-60, 1, 202)).isFalse();
        assertThat(guard.memory().skippedInARow()).isEqualTo(2);
        assertThat(guard.accept(-4, 1, 203)).isTrue();
        assertThat(guard.memory().skippedInARow()).isZero();
    }

    @Test
    void a_gradient_a_thousand_times_as_large_as_usual_is_not_taken_whatever_the_loss_says() {
        LossGuard guard = after(100, i -> i % 7 == 0 ? 0.5 : 0);
        assertThat(guard.accept(0.5, 900, 100)).isTrue();
        assertThat(guard.accept(0.5, 2000, 101)).isFalse();
    }

    @Test
    void a_single_outlier_does_not_move_what_is_usual() {
        LossGuard guard = after(100, i -> 1);
        for (int i = 0; i < 10; i++) {
            assertThat(guard.accept(10.5, 1, i)).isTrue();
        }
        assertThat(guard.accept(12, 1, 0)).isFalse();
    }

    @Test
    void what_persists_ends_the_run_and_what_it_remembers_survives_a_checkpoint() {
        LossGuard guard = after(100, i -> Math.PI * Math.sin(i));
        for (int i = 0; i < 19; i++) {
            assertThat(guard.accept(1000, 1, i)).isFalse();
        }
        LossGuard resumed = new LossGuard(CardFile.value(CardFile.tree(guard.memory()), LossGuard.Memory.class));
        assertThat(resumed.memory()).isEqualTo(guard.memory());
        assertThatThrownBy(() -> resumed.accept(1000, 1, 20))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("exploding (1000.0, usually");
    }
}
