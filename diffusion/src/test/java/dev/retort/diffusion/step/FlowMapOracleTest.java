package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.FlowMap;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.TrigFlow;
import org.junit.jupiter.api.Test;

/** Losses with a derivative in their target: at the exact solution nothing is left. */
class FlowMapOracleTest {
    private static final MixtureTeacher TEACHER = MixtureTeacher.ring(3, 0.6, 0.35, 1);
    private static final FlowLinear FLOW = new FlowLinear();
    private static final int FINE = 400;

    /** The size of sCM's tangent at an exact consistency function, its terms multiplied by the given signs. */
    private static double tangent(double time, double signOfVelocity, double signOfDerivative) {
        double sigmaData = 0.5;
        TrigFlow arc = new TrigFlow(sigmaData);
        double[] x = {0.45, -0.3};
        // Constant along every way, which is all that counts: where the way is at angle 0.1.
        double[] end = TEACHER.flow(arc, x, time, 0.1, FINE, 0);
        double h = 1e-4;
        double[] ahead = TEACHER.flow(arc, x, time, time + h, 4, 0);
        double[] behind = TEACHER.flow(arc, x, time, time - h, 4, 0);
        double[] velocity = TEACHER.velocity(arc, x, time, 0);
        TrigTangent at = TrigTangent.at(time, sigmaData, 1);
        double square = 0;
        for (int d = 0; d < 2; d++) {
            double slope = new TimeDifference(h, h).factor()
                    * (output(ahead[d], end[d], time + h, sigmaData) - output(behind[d], end[d], time - h, sigmaData));
            double g = at.fromOutput() * output(x[d], end[d], time, sigmaData)
                    + signOfVelocity * at.fromVelocity() * velocity[d]
                    + at.fromState() * x[d]
                    + signOfDerivative * at.fromDerivative() * at.alongTime() * slope;
            square += g * g;
        }
        return Math.sqrt(square);
    }

    /** F of f = cos t x - sin t sigma_data F. */
    private static double output(double x, double f, double time, double sigmaData) {
        return (Math.cos(time) * x - f) / (Math.sin(time) * sigmaData);
    }

    @Test
    void the_tangent_vanishes_at_the_exact_consistency_function() {
        for (double time : new double[] {0.3, 0.7, 1.1, 1.5}) {
            assertThat(tangent(time, 1, 1)).as("time %s", time).isLessThan(1e-8);
            // A sign the wrong way is seen.
            assertThat(tangent(time, -1, 1)).isGreaterThan(1e-5);
            assertThat(tangent(time, 1, -1)).isGreaterThan(1e-5);
        }
    }

    private static double[] mean(double[] x, double t, double r) {
        double[] landed = TEACHER.flow(FLOW, x, t, r, FINE, 0);
        return new double[] {(x[0] - landed[0]) / (t - r), (x[1] - landed[1]) / (t - r)};
    }

    @Test
    void the_exact_mean_velocity_is_its_own_target() {
        double[] x = {0.45, -0.3};
        for (double[] times : new double[][] {{0.9, 0.2}, {0.6, 0.5}, {0.99, 0.05}}) {
            double t = times[0];
            double r = times[1];
            TimeDifference by = TimeDifference.at(t, 1e-3, r, 0.9999);
            double[] velocity = TEACHER.velocity(FLOW, x, t, 0);
            double[] ahead = TEACHER.flow(FLOW, x, t, t + by.ahead(), 4, 0);
            double[] behind = TEACHER.flow(FLOW, x, t, t - by.behind(), 4, 0);
            double[] there = mean(ahead, t + by.ahead(), r);
            double[] here = mean(behind, t - by.behind(), r);
            double[] u = mean(x, t, r);
            MeanVelocityTarget target = MeanVelocityTarget.between(t, r, 1);
            for (int d = 0; d < 2; d++) {
                double slope = by.factor() * (there[d] - here[d]);
                double wanted = target.fromVelocity() * velocity[d] + target.fromDerivative() * slope;
                assertThat(wanted).as("from %s to %s", t, r).isCloseTo(u[d], within(1e-6));
            }
        }
    }

    @Test
    void the_exact_flow_map_moves_on_with_the_velocity_at_its_end() {
        double[] x = {0.45, -0.3};
        double h = 5e-3;
        for (double[] times : new double[][] {{1, 0.2}, {0.6, 0.5}, {0.9, 0.05}}) {
            double[] end = TEACHER.flow(FLOW, x, times[0], times[1], FINE, 0);
            double[] later = TEACHER.flow(FLOW, x, times[0], times[1] + h, FINE, 0);
            double[] earlier = TEACHER.flow(FLOW, x, times[0], times[1] - h, FINE, 0);
            double[] velocity = TEACHER.velocity(FLOW, end, times[1], 0);
            for (int d = 0; d < 2; d++) {
                double slope = new TimeDifference(h, h).factor() * (later[d] - earlier[d]);
                assertThat(slope).as("from %s to %s", times[0], times[1]).isCloseTo(velocity[d], within(1e-4));
                assertThat(Math.abs(-slope - velocity[d])).isGreaterThan(1e-2);
            }
        }
    }

    @Test
    void a_sampler_with_the_exact_mean_velocity_arrives_in_any_number_of_steps() {
        double[] noise = {0.5, -1.2};
        TimeGrid.Point end = FLOW.point(0.05);
        double[] exact = TEACHER.flow(FLOW, noise, 1, 0.05, 4 * FINE, 0);
        for (int steps : new int[] {1, 2, 4}) {
            TimeGrid grid = TimeGrid.flow(FLOW, steps, 3).endingAt(end);
            Plan plan = new FlowMap().plan(new Process(FLOW, Prediction.FLOW), grid);
            double[] landed = ArrayExecutor.run(
                    plan, noise, (x, call) -> mean(x, call.time(), call.until()), k -> null, (k, x0, next) -> {});
            assertThat(landed).containsExactly(exact, within(1e-7));
        }
    }

    @Test
    void a_derivative_is_read_on_both_sides_but_at_the_ends() {
        assertThat(TimeDifference.at(0.5, 0.01, 0, 1)).isEqualTo(new TimeDifference(0.01, 0.01));
        assertThat(TimeDifference.at(0.5, 0.01, 0.5, 1)).isEqualTo(new TimeDifference(0.01, 0));
        assertThat(TimeDifference.at(1, 0.01, 0.5, 1)).isEqualTo(new TimeDifference(0, 0.01));
        assertThat(TimeDifference.at(1, 0.01, 0.5, 1).factor()).isEqualTo(100);
        assertThatThrownBy(() -> TimeDifference.at(0.5, 0.6, 0, 1)).hasMessageContaining("0.6 from time 0.5");
    }

    @Test
    void tangents_are_warmed_up_and_normalised() {
        assertThat(Tangents.warmUp(2500, 10_000)).isEqualTo(0.25);
        assertThat(Tangents.warmUp(20_000, 10_000)).isEqualTo(1);
        assertThat(Tangents.warmUp(0, 0)).isEqualTo(1);
        // A normalised tangent is below 1 and nearly so when large, at every size of sample.
        assertThat(40 * Tangents.normalised(40, 16, 0.1)).isCloseTo(4 * 40 / 40.4, within(1e-12));
        assertThat(Tangents.adaptiveWeight(3, 1, 0.5)).isEqualTo(0.5);
        assertThat(Tangents.adaptiveWeight(3, 1, 0)).isEqualTo(1);
        MeanVelocityTarget.Guided guided = MeanVelocityTarget.Guided.of(1, 0.5);
        // With everything right all three velocities are one, and it stays.
        assertThat(guided.fromPair() + guided.fromUnconditional() + guided.fromConditional())
                .isEqualTo(1);
    }
}
