package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import dev.retort.diffusion.Weighting;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Progressive distillation on a teacher that is never wrong. */
class ProgressiveTargetTest {
    private static final MixtureTeacher TEACHER = MixtureTeacher.ring(6, 1.2, 0.2, 2);
    private static final List<NoiseSchedule> SCHEDULES = List.of(
            new CosineLogSnr(),
            DiscreteSchedule.linear(),
            new FlowLinear(),
            new FlowLinear(1000),
            new TrigFlow(0.5),
            new KarrasSchedule());

    /** What {@code ratio} even steps of the teacher make of a state. */
    private static double[] teach(NoiseSchedule schedule, double[] x, double from, double to, int ratio) {
        double[] y = x.clone();
        for (int k = 0; k < ratio; k++) {
            TimeGrid.Point t = schedule.point(from + (to - from) * k / ratio);
            TimeGrid.Point s = schedule.point(k == ratio - 1 ? to : from + (to - from) * (k + 1) / ratio);
            double[] x0 = TEACHER.x0(y, t, 1);
            FirstOrderStep step = FirstOrderStep.between(t, s);
            for (int d = 0; d < 2; d++) {
                y[d] = step.fromState() * y[d] + step.fromX0() * x0[d];
            }
        }
        return y;
    }

    @Test
    void one_step_of_the_student_lands_where_the_teacher_did() {
        double[] x = {0.7, -1.1};
        for (NoiseSchedule schedule : SCHEDULES) {
            double from = schedule.timeOfRatio(2.3);
            for (double low : new double[] {0, 0.02, 1.1}) {
                double to = low == 0 ? schedule.cleanTime() : schedule.timeOfRatio(low);
                TimeGrid.Point t = schedule.point(from);
                TimeGrid.Point s = schedule.point(to);
                for (int ratio : new int[] {1, 2, 4, 7}) {
                    double[] landed = teach(schedule, x, from, to, ratio);
                    for (Prediction prediction : Prediction.values()) {
                        if (prediction == Prediction.V && schedule instanceof KarrasSchedule) {
                            continue;
                        }
                        ProgressiveTarget target = ProgressiveTarget.of(prediction, t, s);
                        FirstOrderStep step = FirstOrderStep.between(t, s);
                        for (int d = 0; d < 2; d++) {
                            double output = target.fromState() * x[d] + target.fromLanding() * landed[d];
                            double there = step.fromStateBeside(prediction, t) * x[d]
                                    + step.fromOutput(prediction, t) * output;
                            assertThat(there)
                                    .as("%s on %s over %s to %s", prediction, schedule.name(), ratio, low)
                                    .isCloseTo(landed[d], within(1e-12));
                        }
                    }
                }
            }
        }
    }

    @Test
    void over_one_step_the_target_is_what_the_teacher_says() {
        double[] x = {0.7, -1.1};
        for (NoiseSchedule schedule : SCHEDULES) {
            TimeGrid.Point t = schedule.point(schedule.timeOfRatio(2.3));
            TimeGrid.Point s = schedule.point(schedule.timeOfRatio(0.9));
            double[] landed = teach(schedule, x, t.time(), s.time(), 1);
            ProgressiveTarget target = ProgressiveTarget.of(Prediction.EPSILON, t, s);
            double[] eps = TEACHER.output(Prediction.EPSILON, x, t, 1);
            assertThat(target.fromState() * x[0] + target.fromLanding() * landed[0])
                    .isCloseTo(eps[0], within(1e-12));
        }
    }

    @Test
    void where_the_landing_has_no_noise_the_target_is_the_teachers_last_x0() {
        for (NoiseSchedule schedule : SCHEDULES) {
            TimeGrid.Point t = schedule.point(schedule.timeOfRatio(2.3));
            ProgressiveTarget target = ProgressiveTarget.of(Prediction.X0, t, new TimeGrid.Point(0, 1, 0));
            assertThat(target.fromState()).isZero();
            assertThat(target.fromLanding()).isEqualTo(1);
        }
    }

    @Test
    void on_a_straight_path_it_is_the_difference_quotient_and_the_mean_of_two_velocities() {
        FlowLinear flow = new FlowLinear();
        for (double u : new double[] {1, 0.75, 0.25}) {
            TimeGrid.Point t = flow.point(u);
            TimeGrid.Point s = flow.point(u - 0.25);
            ProgressiveTarget target = ProgressiveTarget.of(Prediction.FLOW, t, s);
            assertThat(target.fromState()).isCloseTo(4, within(1e-12));
            assertThat(target.fromLanding()).isCloseTo(-4, within(1e-12));
            double[] x = {0.4, 0.9};
            double[] first = TEACHER.velocity(flow, x, u, 0);
            double[] middle = {x[0] - 0.125 * first[0], x[1] - 0.125 * first[1]};
            double[] second = TEACHER.velocity(flow, middle, u - 0.125, 0);
            double landed = middle[0] - 0.125 * second[0];
            assertThat(target.fromState() * x[0] + target.fromLanding() * landed)
                    .isCloseTo((first[0] + second[0]) / 2, within(1e-12));
        }
    }

    @Test
    void with_unscaled_noise_it_is_the_target_of_the_consistency_models_code() {
        KarrasSchedule schedule = new KarrasSchedule();
        ProgressiveTarget target = ProgressiveTarget.of(Prediction.X0, schedule.point(5), schedule.point(2));
        // x - t (x_s - x) / (s - t)
        assertThat(target.fromState()).isCloseTo(1 - 5. / 3, within(1e-14));
        assertThat(target.fromLanding()).isCloseTo(5. / 3, within(1e-14));
        assertThatThrownBy(() -> ProgressiveTarget.of(Prediction.X0, schedule.point(5), schedule.point(5)))
                .hasMessageContaining("does not change the noise level");
    }

    @Test
    void squared_errors_in_other_spaces_are_those_of_x0_times_the_snr() {
        for (NoiseSchedule schedule : List.of(new CosineLogSnr(), DiscreteSchedule.linear())) {
            for (double ratio : new double[] {0.05, 1, 12}) {
                double time = schedule.timeOfRatio(ratio);
                double snr = schedule.snr(time);
                double alpha = schedule.alpha(time);
                double sigma = schedule.sigma(time);
                assertThat(Prediction.V.squaredErrorPerX0(alpha, sigma)).isCloseTo(1 + snr, within(1e-11 * (1 + snr)));
                assertThat(Prediction.EPSILON.squaredErrorPerX0(alpha, sigma)).isCloseTo(snr, within(1e-11 * snr));
                assertThat(Weighting.SNR_PLUS_ONE.weight(Prediction.V, schedule, time))
                        .isCloseTo(1, within(1e-11));
                assertThat(Weighting.SNR.weight(Prediction.EPSILON, schedule, time))
                        .isEqualTo(1);
                assertThat(Weighting.SNR_PLUS_ONE.weight(Prediction.X0, schedule, time))
                        .isCloseTo(1 + snr, within(1e-11 * (1 + snr)));
                assertThat(Weighting.SNR_PLUS_ONE.weight(Prediction.EPSILON, schedule, time))
                        .isCloseTo((1 + snr) / snr, within(1e-11 * (1 + snr) / snr));
            }
        }
        assertThatThrownBy(() -> new Weighting.SnrPlus(-1)).hasMessageContaining("offset is -1.0");
    }
}
