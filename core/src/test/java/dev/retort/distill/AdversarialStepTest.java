package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SolverSpec;
import dev.retort.train.OptimizerConfig;
import org.junit.jupiter.api.Test;

/** What a recipe may ask of a critic of steps, and what it may leave out. */
class AdversarialStepTest {
    private static AdversarialStep of(int steps, double noiseFrom, double noiseTo) {
        return new AdversarialStep(
                LossWeight.ONE,
                steps,
                2,
                new SolverSpec.Ddim(),
                false,
                3,
                64,
                0.3,
                noiseFrom,
                noiseTo,
                GameLoss.OPPONENT);
    }

    @Test
    void one_step_whose_ends_are_shown_without_noise_is_refused_and_several_are_not() {
        assertThatThrownBy(() -> of(1, 0, 0))
                .hasMessageContaining("noiseTo is 0")
                .hasMessageContaining("noiseFrom 0.01 and noiseTo 0.75");
        assertThatCode(() -> of(1, 0.01, 0.75)).doesNotThrowAnyException();
        assertThatCode(() -> of(2, 0, 0)).doesNotThrowAnyException();
    }

    @Test
    void a_critic_learns_ten_times_as_fast_as_a_student_is_finished() {
        assertThat(((OptimizerConfig) AdversarialStep.defaults().get("optimizer")).lr())
                .isEqualTo(10 * GameLoss.OPPONENT.lr());
    }
}
