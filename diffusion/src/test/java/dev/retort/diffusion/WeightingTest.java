package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class WeightingTest {
    private static final DiscreteSchedule LINEAR = DiscreteSchedule.linear();

    @Test
    void min_snr_weights_agree_with_the_reference() {
        ReferenceTensors wanted = new ReferenceTensors(Shared.path("reference/optim/min-snr.safetensors"));
        for (String name : new String[] {"linear", "scaled_linear"}) {
            DiscreteSchedule schedule =
                    name.equals("linear") ? LINEAR : DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
            double[] snr = wanted.get(name + ".snr");
            for (int gamma : new int[] {1, 5}) {
                Weighting weighting = new Weighting.MinSnr(gamma);
                double[] eps = wanted.get(name + ".gamma" + gamma + ".epsilon");
                double[] v = wanted.get(name + ".gamma" + gamma + ".v_prediction");
                double[] x0 = wanted.get(name + ".gamma" + gamma + ".sample");
                for (int t = 0; t < 1000; t++) {
                    assertThat(schedule.snr(t)).isCloseTo(snr[t], within(1e-9 + 3e-4 * snr[t]));
                    assertThat(weighting.weight(Prediction.EPSILON, schedule, t))
                            .isCloseTo(eps[t], within(1e-9 + 3e-4 * eps[t]));
                    assertThat(weighting.weight(Prediction.V, schedule, t)).isCloseTo(v[t], within(1e-9 + 3e-4 * v[t]));
                    assertThat(weighting.weight(Prediction.X0, schedule, t))
                            .isCloseTo(x0[t], within(1e-9 + 3e-4 * x0[t]));
                }
            }
        }
    }

    @Test
    void one_weighting_means_the_same_objective_in_every_space() {
        double[] x0 = {0.4, -1.1, 0.7};
        double[] eps = {-0.2, 0.9, 1.3};
        double[] wrong = {0.5, -1.0, 0.4};
        NoiseSchedule[] schedules = {LINEAR, new CosineLogSnr(), new FlowLinear(), new KarrasSchedule(0.002, 80)};
        for (NoiseSchedule schedule : schedules) {
            double time = schedule.cleanTime() + 0.37 * (schedule.noisiestTime() - schedule.cleanTime());
            time = schedule == LINEAR ? 371 : time;
            double alpha = schedule.alpha(time);
            double sigma = schedule.sigma(time);
            for (Weighting weighting :
                    new Weighting[] {new Weighting.MinSnr(5), Weighting.TRUNCATED_SNR, Weighting.VLB}) {
                double want = weighting.weight(Prediction.X0, schedule, time) * mse(x0, wrong);
                for (Prediction prediction : Prediction.values()) {
                    if (prediction == Prediction.V && schedule instanceof KarrasSchedule) {
                        continue;
                    }
                    double[] right = new double[3];
                    double[] said = new double[3];
                    for (int d = 0; d < 3; d++) {
                        double x = alpha * x0[d] + sigma * eps[d];
                        right[d] = prediction.targetFromX0(alpha, sigma) * x0[d]
                                + prediction.targetFromEps(alpha, sigma) * eps[d];
                        said[d] = prediction.fromState(Prediction.X0, alpha, sigma) * x
                                + prediction.fromOutput(Prediction.X0, alpha, sigma) * wrong[d];
                    }
                    assertThat(weighting.weight(prediction, schedule, time) * mse(right, said))
                            .as("%s of %s on %s", weighting, prediction, schedule.name())
                            .isCloseTo(want, within(1e-9 * want));
                }
            }
        }
    }

    private static double mse(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]) / a.length;
        }
        return sum;
    }

    @Test
    void the_variational_weight_equals_the_divergence_between_posteriors() {
        // KL between the posterior with the true x0 and with a wrong one, at equal variances.
        for (int t : new int[] {1, 5, 400, 999}) {
            VariationalTerm term = VariationalTerm.at(LINEAR, t);
            double kl = VariationalTerm.normalKl(
                    term.meanFromX0() * 0.3, term.logBetaTilde(), term.meanFromX0() * 0.8, term.logBetaTilde());
            assertThat(Weighting.VLB.weight(Prediction.X0, LINEAR, t) / 1000 * 0.25)
                    .isCloseTo(kl, within(1e-9 * kl));
        }
    }

    @Test
    void epsilon_keeps_its_limit_where_nothing_of_the_signal_is_left() {
        NoiseSchedule pure = LINEAR.withZeroTerminalSnr();
        assertThat(new Weighting.MinSnr(5).weight(Prediction.EPSILON, pure, 999))
                .isEqualTo(1);
        assertThat(new Weighting.MinSnr(5).weight(Prediction.V, pure, 999)).isZero();
        assertThat(Weighting.TRUNCATED_SNR.weight(Prediction.V, pure, 999)).isEqualTo(1);
        assertThat(Weighting.SIMPLE.weight(Prediction.FLOW, new FlowLinear(), 1))
                .isEqualTo(1);
        assertThatThrownBy(() -> new Weighting.MinSnr(0)).hasMessageContaining("gamma is 0.0");
    }
}
