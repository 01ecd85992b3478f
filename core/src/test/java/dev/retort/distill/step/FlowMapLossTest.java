package dev.retort.distill.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.ScalarInputs;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.Clock;
import dev.retort.train.Loss;
import dev.retort.train.OptimizerConfig;
import dev.retort.train.Pass;
import dev.retort.train.Player;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class FlowMapLossTest {
    private static final FlowLinear FLOW = new FlowLinear();
    private static final ScalarInputs ENDS = new ScalarInputs(false, 1);
    private static final MixtureTeacher MIXTURE = MixtureTeacher.ring(3, 0.6, 0.35, 1);

    private static Loss loss(boolean self) {
        return new FlowMapLoss(
                "teacher", self, LossContract.SCHEDULE, new FlowMapLoss.Times(0.4, 0.2, 0.005), new PseudoHuber(0.5));
    }

    @Nested
    class With_the_teachers_velocity extends LossContract {
        @Override
        protected Loss loss() {
            return FlowMapLossTest.loss(false);
        }

        @Override
        protected ScalarInputs told() {
            return ENDS;
        }
    }

    @Nested
    class With_its_own_velocity extends LossContract {
        @Override
        protected Loss loss() {
            return FlowMapLossTest.loss(true);
        }

        @Override
        protected ScalarInputs told() {
            return ENDS;
        }
    }

    /** Says the mean velocity on the exact way between two times, times a factor that is 1 where it is right. */
    private static final class Exact extends Network {
        private final double factor;
        private final Tensor weight;

        Exact(double factor) {
            this.factor = factor;
            weight = parameter("any", Tensors.zeros(Device.CPU, 1));
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            float[] points = Tensors.floats(x);
            float[] from = Tensors.floats(time);
            float[] to = condition.has(Part.END_TIME) ? Tensors.floats(condition.get(Part.END_TIME)) : from;
            for (int i = 0; i < from.length; i++) {
                double[] at = {points[2 * i], points[2 * i + 1]};
                double way = from[i] - to[i];
                double[] velocity = MIXTURE.velocity(FLOW, at, from[i], 0);
                double[] end = way == 0 ? at : MIXTURE.flow(FLOW, at, from[i], to[i], 200, 0);
                for (int d = 0; d < 2; d++) {
                    points[2 * i + d] = (float) (way == 0 ? velocity[d] : factor * (at[d] - end[d]) / way);
                }
            }
            return Tensors.of(points, Device.CPU, from.length, 2, 1, 1).add(weight);
        }

        @Override
        public NetworkSpec spec() {
            return new PlaneNetwork.Spec(2, 1, ENDS, 1);
        }

        @Override
        public void recompute(boolean on) {}

        Predictor predictor() {
            return new Predictor(
                    this, new LabelConditioner(spec().condition()), FLOW, Prediction.FLOW, 1, Precision.FP32);
        }
    }

    private static float[] losses(double factor, boolean self) {
        OptimizerConfig any = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1);
        Player student = new Player("student", new Exact(factor).predictor(), new Player.Role.Learns(any));
        Player teacher = Player.frozen("teacher", new Exact(1).predictor());
        try (Scope scope = Scope.open();
                student;
                teacher) {
            Pass.Context context = new Pass.Context(
                    "student", Map.of("student", student, "teacher", teacher), Map.of(), 3, new Clock(0, 0, 0, 0));
            float[] points = new float[64];
            for (int i = 0; i < points.length; i++) {
                points[i] = (float) Math.sin(i);
            }
            Pass pass = new PlanePass(context, 0, FLOW, points, new int[32], 2, 1, 1);
            return Tensors.floats(loss(self).perSample(pass));
        }
    }

    @Test
    void nothing_is_left_of_it_at_the_exact_flow_map_and_a_map_that_falls_short_is_seen() {
        for (boolean self : new boolean[] {false, true}) {
            double worst = 0;
            for (float each : losses(1, self)) {
                worst = Math.max(worst, each);
            }
            assertThat(worst).isLessThan(1e-5);
            double sum = 0;
            for (float each : losses(0.9, self)) {
                sum += each;
            }
            assertThat(sum / 32).isGreaterThan(1e-3);
        }
    }
}
