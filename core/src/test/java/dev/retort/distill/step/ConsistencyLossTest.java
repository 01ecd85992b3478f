package dev.retort.distill.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Conditions;
import dev.retort.card.ProcessSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ConsistencyLossTest {
    private static Loss loss(String target, boolean distil) {
        return new ConsistencyLoss(
                target,
                distil ? Optional.of("teacher") : Optional.empty(),
                LossContract.SCHEDULE,
                new ConsistencyLoss.Pairs.Closing(new TimeSampler.LogitNormal(-0.4, 1.6), 0.2, 4, 16, 2),
                new ConsistencyLoss.Distance(new PseudoHuber(0.03), false),
                ConsistencyWeight.INVERSE_GAP,
                time -> BoundaryScaling.NONE);
    }

    @Test
    void at_the_first_entry_of_a_table_where_there_is_none_before_it_there_is_nothing_to_learn() {
        NoiseSchedule table = ProcessSpec.ddpm().noiseSchedule();
        double[] ones = new double[4 * 3 * 4 * 4];
        Arrays.setAll(ones, i -> Math.sin(i));
        try (Scope scope = Scope.open();
                ClosedFormNetwork student = new ClosedFormNetwork(
                        (p, x, t, end, c) -> p[0].mul(x).add(p[1].mul(t)),
                        ScalarInputs.NONE,
                        new double[] {0.5, 0.1, 0, 0, 0, 0},
                        new double[4])) {
            ReferencePass pass = new ReferencePass(
                    Map.of("student", student.predicts(Prediction.X0, table, 1)),
                    table,
                    ones,
                    ones,
                    Conditions.classes(0, 1, 2, 3));
            Tensor loss = new ConsistencyLoss(
                            "student",
                            Optional.empty(),
                            table,
                            null,
                            new ConsistencyLoss.Distance(new PseudoHuber(0), false),
                            ConsistencyWeight.INVERSE_GAP,
                            time -> BoundaryScaling.NONE)
                    .at(pass, new double[] {0, 1, 500, 999}, new double[] {0, 0, 300, 900});
            float[] each = Tensors.floats(loss);
            assertThat(each[0]).isZero();
            assertThat(each[1]).isBetween(1f, 1e6f);
            loss.mean().backward();
            assertThat(student.gradient()[1]).isFinite().isNotZero();
        }
    }

    @Nested
    class In_training_with_itself extends LossContract {
        @Override
        protected Loss loss() {
            return ConsistencyLossTest.loss("student", false);
        }
    }

    @Nested
    class In_training_with_an_average extends LossContract {
        @Override
        protected Loss loss() {
            return ConsistencyLossTest.loss("target", false);
        }
    }

    @Nested
    class In_distillation_with_itself extends LossContract {
        @Override
        protected Loss loss() {
            return ConsistencyLossTest.loss("student", true);
        }
    }

    @Nested
    class In_distillation_over_intervals extends LossContract {
        @Override
        protected Loss loss() {
            return new ConsistencyLoss(
                    "student",
                    Optional.of("teacher"),
                    SCHEDULE,
                    new ConsistencyLoss.Pairs.Neighbours(TimeGrid.uniform(SCHEDULE, 10)),
                    new ConsistencyLoss.Distance(new PseudoHuber(0.03), true),
                    ConsistencyWeight.ONE,
                    time -> new BoundaryScaling(0.1, 0.9, 1));
        }
    }

    @Nested
    class In_distillation_with_an_average extends LossContract {
        @Override
        protected Loss loss() {
            return ConsistencyLossTest.loss("target", true);
        }
    }
}
