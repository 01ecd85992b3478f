package dev.retort.distill.step;

import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.TimeSampler;
import dev.retort.train.Loss;
import org.junit.jupiter.api.Nested;

class MeanFlowLossTest {
    private static Loss loss(double step, double power) {
        return new MeanFlowLoss(
                "teacher",
                LossContract.SCHEDULE,
                new MeanFlowLoss.Times(0.4, new TimeSampler.LogitNormal(-0.4, 1)),
                step,
                power,
                1e-3);
    }

    @Nested
    class With_the_exact_derivative extends LossContract {
        @Override
        protected Loss loss() {
            return MeanFlowLossTest.loss(0, 0);
        }

        @Override
        protected ScalarInputs told() {
            return new ScalarInputs(false, 1);
        }
    }

    @Nested
    class With_a_difference extends LossContract {
        @Override
        protected Loss loss() {
            return MeanFlowLossTest.loss(1e-2, 0);
        }

        @Override
        protected ScalarInputs told() {
            return new ScalarInputs(false, 1);
        }
    }
}
