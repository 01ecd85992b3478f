package dev.retort.distill;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.diffusion.step.FDivergence;
import dev.retort.distill.DistributionMatching.Method;
import dev.retort.train.ComputeConfig;
import dev.retort.train.DitConfig;
import dev.retort.train.EmaConfig;
import dev.retort.train.LogConfig;
import dev.retort.train.Objective;
import dev.retort.train.RunConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a recipe may ask of distribution matching. */
class DistributionMatchingTest {
    private static DistributionMatching matching(Method method, FDivergence divergence) {
        return new DistributionMatching(LossWeight.ONE, 2, 5, method, divergence, 1.2, 0.02, 0.98, GameLoss.OPPONENT);
    }

    private static GameLoss.Adversarial adversarial(int steps, double noiseTo) {
        return new GameLoss.Adversarial(
                LossWeight.ONE, steps, 2, 8, GameLoss.Backbone.FROZEN, 1e-3, 0.02, noiseTo, GameLoss.OPPONENT);
    }

    private static void requireFit(LossConfig loss, LossConfig... others) {
        List<LossConfig> all = new ArrayList<>(List.of(others));
        all.add(loss);
        loss.requireFit(new Recipe(
                new TeacherConfig("teacher", "", 1),
                new DitConfig("1x16x1/8", 4, 0.1, false),
                new StudentStart.Cut(),
                Objective.Flow.PIXELS,
                List.of(new StageConfig("game", 300, all)),
                new RunConfig(
                        7,
                        8,
                        new DataConfig.Shapes("train", 16, true),
                        GameLoss.OPPONENT,
                        new EmaConfig(List.of(0.99)),
                        new ComputeConfig("cpu", "fp32", false, 8, 0, 1),
                        new LogConfig(8, 0, 1, 8),
                        SamplingSpec.of("flow-euler", 2, 1))));
    }

    @Test
    void a_divergence_asks_for_a_critic_that_sees_the_same_images() {
        LossConfig weighed = matching(Method.DMD, FDivergence.FORWARD_KL);
        assertThatCode(() -> requireFit(weighed, adversarial(2, 1))).doesNotThrowAnyException();
        assertThatCode(() -> requireFit(matching(Method.DMD, FDivergence.REVERSE_KL)))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> requireFit(weighed))
                .hasMessage("divergence is forward-kl, expected reverse-kl, or beside it in stage game one adversarial"
                        + " loss, whose critic says how dense the data are; there are 0");
        assertThatThrownBy(() -> requireFit(weighed, adversarial(2, 1), adversarial(2, 0.99)))
                .hasMessageContaining("there are 2");
        for (GameLoss.Adversarial other : List.of(adversarial(1, 1), adversarial(2, 0.7))) {
            assertThatThrownBy(() -> requireFit(weighed, other))
                    .hasMessageContaining("give the adversarial loss steps=2, noiseFrom=0.02 and noiseTo=0.98");
        }
    }

    @Test
    void what_the_method_does_not_read_is_refused() {
        assertThatThrownBy(() -> new DistributionMatching(
                        LossWeight.ONE, 2, 5, Method.DMD, FDivergence.REVERSE_KL, 1, 0.02, 0.98, GameLoss.OPPONENT))
                .hasMessage("alpha is 1, expected to be left out with method dmd, which has none");
    }

    @Test
    void score_identity_has_a_divergence_of_its_own() {
        assertThatThrownBy(() -> matching(Method.SID, FDivergence.JEFFREYS))
                .hasMessage(
                        "divergence is jeffreys, expected reverse-kl with method sid, which has a divergence of its own");
    }
}
