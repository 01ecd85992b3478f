package dev.retort.distill.step;

import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.train.Loss;
import java.util.Optional;
import org.junit.jupiter.api.Nested;

class ConsistencyLossTest {
    private static Loss loss(String target, boolean distil) {
        return new ConsistencyLoss(
                target,
                distil ? Optional.of("teacher") : Optional.empty(),
                LossContract.SCHEDULE,
                new ConsistencyLoss.Times(new TimeSampler.LogitNormal(-0.4, 1.6), 0.2),
                new ConsistencyLoss.Gap(4, 16, 2),
                new PseudoHuber(0.03),
                ConsistencyWeight.INVERSE_GAP);
    }

    @Nested
    class In_training_with_itself extends LossContract {
        @Override
        Loss loss() {
            return ConsistencyLossTest.loss("student", false);
        }
    }

    @Nested
    class In_training_with_an_average extends LossContract {
        @Override
        Loss loss() {
            return ConsistencyLossTest.loss("target", false);
        }
    }

    @Nested
    class In_distillation_with_itself extends LossContract {
        @Override
        Loss loss() {
            return ConsistencyLossTest.loss("student", true);
        }
    }

    @Nested
    class In_distillation_with_an_average extends LossContract {
        @Override
        Loss loss() {
            return ConsistencyLossTest.loss("target", true);
        }
    }
}
