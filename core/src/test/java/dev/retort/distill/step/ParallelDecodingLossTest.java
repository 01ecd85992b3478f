package dev.retort.distill.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.card.NetworkSpec;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.ParallelGrid;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ParallelDecodingLossTest {
    private static final FlowLinear FLOW = new FlowLinear();
    private static final ParallelGrid GRID = new ParallelGrid(TimeGrid.flow(FLOW, 8, 2));
    private static final MixtureTeacher MIXTURE = MixtureTeacher.ring(3, 0.6, 0.35, 1);

    private static Loss loss(boolean midpoint) {
        return new ParallelDecodingLoss("teacher", FLOW, GRID, List.of(2, 4), midpoint);
    }

    /** The way of the heads is part of the target, so with steps as many as heads nothing but the head that is asked moves. */
    private static Loss held(boolean midpoint) {
        return new ParallelDecodingLoss("teacher", FLOW, GRID, List.of(8), midpoint);
    }

    @Nested
    class With_targets_at_the_start_of_an_interval extends LossContract {
        @Override
        protected Loss loss() {
            return ParallelDecodingLossTest.held(false);
        }

        @Override
        protected int outputs() {
            return 8;
        }
    }

    @Nested
    class With_targets_in_its_middle extends LossContract {
        @Override
        protected Loss loss() {
            return ParallelDecodingLossTest.held(true);
        }

        @Override
        protected int outputs() {
            return 8;
        }
    }

    /** Says what every head is to say, the velocities on the way of the midpoint rule or of Euler, times a factor that is 1 where it is right. */
    private static final class Exact extends Network {
        private final boolean midpoint;
        private final double factor;
        private final Tensor weight;

        Exact(boolean midpoint, double factor) {
            this.midpoint = midpoint;
            this.factor = factor;
            weight = parameter("any", Tensors.zeros(Device.CPU, 1));
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            float[] points = Tensors.floats(x);
            float[] times = Tensors.floats(time);
            float[] said = new float[2 * GRID.heads() * times.length];
            for (int i = 0; i < times.length; i++) {
                double[] at = {points[2 * i], points[2 * i + 1]};
                for (int k = 0; k < GRID.heads(); k++) {
                    if (GRID.grid().from(k).time() > times[i] + 1e-6) {
                        continue;
                    }
                    double[] u = MIXTURE.velocity(FLOW, at, GRID.grid().from(k).sigma(), 0);
                    if (midpoint) {
                        double[] middle = {at[0] + GRID.half(k) * u[0], at[1] + GRID.half(k) * u[1]};
                        u = MIXTURE.velocity(FLOW, middle, GRID.middle(k), 0);
                    }
                    for (int d = 0; d < 2; d++) {
                        said[2 * (GRID.heads() * i + k) + d] = (float) (factor * u[d]);
                        at[d] += GRID.width(k) * u[d];
                    }
                }
            }
            return Tensors.of(said, Device.CPU, times.length, 2L * GRID.heads(), 1, 1)
                    .add(weight);
        }

        @Override
        public NetworkSpec spec() {
            return new PlaneNetwork.Spec(2, 1).withOutputs(GRID.heads());
        }

        @Override
        public void recompute(boolean on) {}
    }

    /** The teacher itself. */
    private static final class Velocity extends Network {
        Velocity() {
            buffer("any", Tensors.zeros(Device.CPU, 1));
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            float[] points = Tensors.floats(x);
            float[] times = Tensors.floats(time);
            for (int i = 0; i < times.length; i++) {
                double[] u = MIXTURE.velocity(FLOW, new double[] {points[2 * i], points[2 * i + 1]}, times[i], 0);
                points[2 * i] = (float) u[0];
                points[2 * i + 1] = (float) u[1];
            }
            return Tensors.of(points, Device.CPU, times.length, 2, 1, 1);
        }

        @Override
        public NetworkSpec spec() {
            return new PlaneNetwork.Spec(2, 1);
        }

        @Override
        public void recompute(boolean on) {}
    }

    private static Predictor asked(Network network) {
        return new Predictor(
                network, new LabelConditioner(network.spec().condition()), FLOW, Prediction.FLOW, 1, Precision.FP32);
    }

    private static float[] losses(Network network, Loss loss) {
        return losses(network, loss, 0, 64);
    }

    private static float[] losses(Network network, Loss loss, int first, int count) {
        OptimizerConfig any = new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1);
        try (Scope scope = Scope.open();
                Player student = new Player("student", asked(network), new Player.Role.Learns(any));
                Player teacher = Player.frozen("teacher", asked(new Velocity()))) {
            Pass.Context context = new Pass.Context(
                    "student", Map.of("student", student, "teacher", teacher), Map.of(), 3, new Clock(0, 0, 0, 0));
            float[] points = new float[2 * count];
            for (int i = 0; i < points.length; i++) {
                points[i] = (float) Math.sin(2 * first + i);
            }
            return Tensors.floats(loss.perSample(new PlanePass(context, first, FLOW, points, new int[count], 2, 1, 1)));
        }
    }

    private static double mean(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value / values.length;
        }
        return sum;
    }

    @Test
    void the_way_of_an_images_heads_does_not_depend_on_its_batch() {
        float[] whole = losses(new Exact(true, 0.9), loss(true));
        for (int first = 0; first < 64; first += 16) {
            assertThat(losses(new Exact(true, 0.9), loss(true), first, 16))
                    .containsExactly(Arrays.copyOfRange(whole, first, first + 16), within(1e-6f));
        }
    }

    @Test
    void nothing_is_left_of_it_where_every_head_says_the_teachers_velocity_on_its_way() {
        for (boolean midpoint : new boolean[] {false, true}) {
            for (float each : losses(new Exact(midpoint, 1), loss(midpoint))) {
                assertThat(each).isLessThan(1e-9f);
            }
            assertThat(mean(losses(new Exact(midpoint, 0.9), loss(midpoint)))).isGreaterThan(1e-3);
            assertThat(mean(losses(new Exact(!midpoint, 1), loss(midpoint))))
                    .as("the other rule's way")
                    .isGreaterThan(1e-5);
        }
    }
}
