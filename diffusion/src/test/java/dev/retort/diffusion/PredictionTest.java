package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PredictionTest {
    private static final double[][] POINTS = {
        {0.8, 0.6}, {0.7, 0.3}, {0.05, 0.99874921777190895}, {0.9, 0.2179449471770337}
    };

    @Test
    void a_perfect_output_gives_back_the_clean_sample_and_the_noise() {
        double x0 = 0.83;
        double eps = -1.27;
        for (double[] point : POINTS) {
            double a = point[0];
            double s = point[1];
            double x = a * x0 + s * eps;
            for (Prediction p : Prediction.values()) {
                double output = p.targetFromX0(a, s) * x0 + p.targetFromEps(a, s) * eps;
                assertThat(p.x0FromState(a, s) * x + p.x0FromOutput(a, s) * output)
                        .as("%s x0", p)
                        .isCloseTo(x0, within(1e-12));
                assertThat(p.epsFromState(a, s) * x + p.epsFromOutput(a, s) * output)
                        .as("%s eps", p)
                        .isCloseTo(eps, within(1e-12));
                for (Prediction other : Prediction.values()) {
                    double otherOutput = other.targetFromX0(a, s) * x0 + other.targetFromEps(a, s) * eps;
                    assertThat(p.fromState(other, a, s) * x + p.fromOutput(other, a, s) * otherOutput)
                            .as("%s from %s", p, other)
                            .isCloseTo(output, within(1e-11));
                }
            }
        }
    }

    @Test
    void the_formulas_are_those_of_the_papers() {
        double a = 0.8;
        double s = 0.6;
        assertThat(Prediction.V.targetFromEps(a, s)).isEqualTo(a);
        assertThat(Prediction.V.targetFromX0(a, s)).isEqualTo(-s);
        assertThat(Prediction.FLOW.x0FromOutput(0.7, 0.3)).isCloseTo(-0.3, within(1e-15));
        assertThat(Prediction.FLOW.x0FromState(0.7, 0.3)).isCloseTo(1, within(1e-15));
        assertThat(Prediction.EPSILON.squaredErrorPerX0(a, s)).isCloseTo(a * a / (s * s), within(1e-12));
        assertThat(Prediction.V.squaredErrorPerX0(a, s)).isCloseTo(1 + a * a / (s * s), within(1e-12));
    }

    @Test
    void trigflow_maps_its_f_to_the_clean_sample() {
        double t = 0.7;
        double data = 0.5;
        TrigFlow arc = new TrigFlow(data);
        double x0 = 0.4;
        double z = -0.3;
        double x = Math.cos(t) * x0 + Math.sin(t) * z;
        double f = (Math.cos(t) * z - Math.sin(t) * x0) / data;
        double got = Prediction.V.x0FromState(arc.alpha(t), arc.sigma(t)) * x
                + Prediction.V.x0FromOutput(arc.alpha(t), arc.sigma(t)) * f;
        assertThat(got).isCloseTo(x0, within(1e-14));
        double target = Prediction.V.targetFromX0(arc.alpha(t), arc.sigma(t)) * x0
                + Prediction.V.targetFromEps(arc.alpha(t), arc.sigma(t)) * z / data;
        assertThat(target).isCloseTo(f, within(1e-14));
    }

    @Test
    void what_a_prediction_cannot_say_is_refused() {
        assertThatThrownBy(() -> Prediction.EPSILON.x0FromOutput(0, 1)).hasMessageContaining("alpha is 0");
        assertThatThrownBy(() -> Prediction.X0.epsFromState(1, 0)).hasMessageContaining("sigma is 0");
        Process blind = new Process(
                DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012).withZeroTerminalSnr(), Prediction.EPSILON);
        assertThatThrownBy(() -> new Ddim().plan(blind, TimeGrid.trailing((DiscreteSchedule) blind.schedule(), 4)))
                .hasMessageContaining("alpha is 0");
    }
}
