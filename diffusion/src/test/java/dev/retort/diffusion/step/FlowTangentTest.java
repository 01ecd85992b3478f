package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.TrigFlow;
import org.junit.jupiter.api.Test;

/** The tangent of continuous-time consistency on a flow, beside that on the arc of TrigFlow. */
class FlowTangentTest {
    /** Some velocity that is no function of consistency. */
    private static Dual velocity(Dual x, Dual t) {
        return x.times(0.7).plus(x.times(1.3).tanh().times(t.times(2).cos())).plus(t.squared());
    }

    /** F of the arc, of that velocity at the flow's time of the same sigma / alpha. */
    private static Dual f(Dual x, Dual angle, double sigmaData) {
        Dual ratio = angle.tan().times(sigmaData);
        Dual t = ratio.over(ratio.plus(1));
        Dual alpha = t.times(-1).plus(1);
        Dual state =
                x.times(alpha.squared().plus(t.times(1 / sigmaData).squared()).sqrt());
        Dual x0 = state.minus(t.times(velocity(state, t)));
        return angle.cos().times(x).minus(x0).over(angle.sin().times(sigmaData));
    }

    @Test
    void it_is_that_of_the_arc() {
        for (double sigmaData : new double[] {0.5, 1}) {
            for (double t : new double[] {0.02, 0.3, 0.5, 0.9, 0.999}) {
                for (double warmUp : new double[] {0, 0.4, 1}) {
                    double state = 0.8;
                    double leads = -1.1;
                    Dual time = Dual.of(t);
                    double said = velocity(Dual.of(state), time).value;
                    double moves = velocity(Dual.of(state, leads), Dual.of(t, 1)).slope[0];
                    FlowTangent flow = FlowTangent.at(t, sigmaData, warmUp);
                    double g = flow.fromGap() * (leads - said) + flow.fromDerivative() * moves;

                    double angle = new TrigFlow(sigmaData).timeOfRatio(t / (1 - t));
                    double x = state / flow.length();
                    TrigTangent arc = TrigTangent.at(angle, sigmaData, warmUp);
                    double x0 = state - t * leads;
                    double along = (Math.cos(angle) * x - x0) / Math.sin(angle);
                    double output = f(Dual.of(x), Dual.of(angle), sigmaData).value;
                    double derivative = f(
                                    Dual.of(x, arc.alongState() * sigmaData * along),
                                    Dual.of(angle, arc.alongTime()),
                                    sigmaData)
                            .slope[0];
                    double wanted = arc.fromOutput() * output
                            + arc.fromVelocity() * along
                            + arc.fromState() * x
                            + arc.fromDerivative() * derivative;
                    assertThat(g)
                            .as("t %s, sigmaData %s, warmUp %s", t, sigmaData, warmUp)
                            .isCloseTo(wanted, within(1e-10));
                }
            }
        }
    }

    @Test
    void it_vanishes_on_the_map_of_a_gaussians_ode_and_leads_back_from_beside_it() {
        double s = 0.6;
        for (double t : new double[] {0.01, 0.4, 0.8, 0.99}) {
            double x = 1.3;
            double variance = (1 - t) * (1 - t) * s * s + t * t;
            double leads = x * (t - (1 - t) * s * s) / variance;
            double g = tangent(t, Dual.of(x, leads), leads, s, 0);
            assertThat(g).as("t " + t).isCloseTo(0, within(1e-12));
            // a student whose velocity is too large everywhere is pulled down
            assertThat(tangent(t, Dual.of(x, leads), leads, s, 0.1))
                    .as("t " + t)
                    .isLessThan(0);
        }
    }

    /** g of the mean velocity of the map x s / sqrt(variance), and so much more. */
    private static double tangent(double t, Dual x, double leads, double s, double more) {
        Dual time = Dual.of(t, 1);
        Dual alpha = time.times(-1).plus(1);
        Dual map = x.times(s).over(alpha.times(s).squared().plus(time.squared()).sqrt());
        Dual u = x.minus(map).over(time).plus(more);
        FlowTangent flow = FlowTangent.at(t, 0.5, 1);
        return flow.fromGap() * (leads - u.value) + flow.fromDerivative() * u.slope[0];
    }
}
