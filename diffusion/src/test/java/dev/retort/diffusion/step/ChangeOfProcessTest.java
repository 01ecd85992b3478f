package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.CosineLogSnr;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TrigFlow;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One network on the schedules of others. */
class ChangeOfProcessTest {
    private static final MixtureTeacher TEACHER = MixtureTeacher.ring(5, 1, 0.3, 1);

    @Test
    void a_flow_network_is_the_F_of_the_arc_by_the_published_formula() {
        TrigFlow arc = new TrigFlow(1);
        for (double s : new double[] {0.05, 0.4, 0.9, 1.3, Math.PI / 2}) {
            ChangeOfProcess change = ChangeOfProcess.of(new FlowLinear(), Prediction.FLOW, arc.point(s), Prediction.V);
            double t = Math.sin(s) / (Math.sin(s) + Math.cos(s));
            double c = Math.sqrt(t * t + (1 - t) * (1 - t));
            assertThat(change.point().time()).isCloseTo(t, within(1e-12));
            assertThat(change.inputScale()).isCloseTo(c, within(1e-12));
            // F = [(1 - 2t) x_F + (1 - 2t + 2t^2) u] / c with x_F = c x.
            assertThat(change.fromState()).isCloseTo(1 - 2 * t, within(1e-12));
            assertThat(change.fromOutput()).isCloseTo((1 - 2 * t + 2 * t * t) / c, within(1e-12));
        }
    }

    @Test
    void a_perfect_network_stays_perfect_on_every_other_schedule() {
        List<NoiseSchedule> schedules = List.of(
                new FlowLinear(),
                new FlowLinear(1000),
                new TrigFlow(0.5),
                new TrigFlow(1),
                new KarrasSchedule(),
                new CosineLogSnr(),
                DiscreteSchedule.linear());
        double[] x = {0.3, -0.8};
        for (NoiseSchedule own : schedules) {
            for (NoiseSchedule other : schedules) {
                for (Prediction said : Prediction.values()) {
                    for (Prediction wanted : Prediction.values()) {
                        if (said == Prediction.V && own instanceof KarrasSchedule
                                || wanted == Prediction.V && other instanceof KarrasSchedule) {
                            continue;
                        }
                        TimeGrid.Point asked = other.point(other.timeOfRatio(0.7));
                        ChangeOfProcess change = ChangeOfProcess.of(own, said, asked, wanted);
                        double[] in = {change.inputScale() * x[0], change.inputScale() * x[1]};
                        double[] output = TEACHER.output(said, in, change.point(), 0);
                        double[] right = TEACHER.output(wanted, x, asked, 0);
                        for (int d = 0; d < 2; d++) {
                            assertThat(change.fromState() * x[d] + change.fromOutput() * output[d])
                                    .as("%s of %s as %s of %s", said, own.name(), wanted, other.name())
                                    .isCloseTo(right[d], within(1e-11));
                        }
                    }
                }
            }
        }
    }

    @Test
    void there_and_back_is_the_state_itself() {
        TrigFlow arc = new TrigFlow(0.5);
        FlowLinear flow = new FlowLinear();
        for (double time : new double[] {0.1, 0.5, 0.99, 1}) {
            ChangeOfProcess there = ChangeOfProcess.of(arc, Prediction.V, flow.point(time), Prediction.FLOW);
            ChangeOfProcess back = ChangeOfProcess.of(flow, Prediction.FLOW, there.point(), Prediction.V);
            assertThat(there.inputScale() * back.inputScale()).isCloseTo(1, within(1e-12));
            assertThat(back.point().time()).isCloseTo(time, within(1e-12));
        }
    }
}
