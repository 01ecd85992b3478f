package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Printed numbers of the DiT process for smooth inputs: tables, losses and sampler means of a made-up network output. */
class DitConformanceTest {
    private static final DiscreteSchedule LINEAR = DiscreteSchedule.linear();
    private static final int SAMPLE = 4 * 8 * 8;

    private static double wave(double a, double b, int i) {
        return (float) StrictMath.sin(a * i + b);
    }

    @Test
    void table_entries_are_those_of_the_published_process() {
        assertThat(LINEAR.beta(0)).isCloseTo(1e-4, within(1e-15));
        assertThat(LINEAR.beta(1)).isCloseTo(1.199199e-4, within(1e-10));
        assertThat(LINEAR.beta(499)).isCloseTo(0.01004004, within(1e-8));
        assertThat(LINEAR.beta(999)).isCloseTo(0.02, within(1e-13));
        assertThat(LINEAR.alphaBar(1)).isCloseTo(0.999780092, within(1e-9));
        assertThat(LINEAR.alphaBar(499)).isCloseTo(0.0785872429, within(1e-10));
        assertThat(LINEAR.alphaBar(999)).isCloseTo(4.03582977e-5, within(1e-13));
        assertThat(VariationalTerm.at(LINEAR, 0).logBetaTilde()).isCloseTo(-9.816725, within(1e-6));
        assertThat(VariationalTerm.at(LINEAR, 1).logBetaTilde()).isCloseTo(-9.816725, within(1e-6));
        assertThat(VariationalTerm.at(LINEAR, 499).logBetaTilde()).isCloseTo(-4.602040, within(1e-6));
        assertThat(VariationalTerm.at(LINEAR, 999).logBetaTilde()).isCloseTo(-3.912024, within(1e-6));
        TimeGrid grid = TimeGrid.respaced(LINEAR, "250");
        assertThat(new GaussianPosterior(grid.from(248), grid.to(248)).beta()).isCloseTo(5.990655645e-4, within(1e-12));
        assertThat(new GaussianPosterior(grid.from(0), grid.to(0)).beta()).isCloseTo(0.07751934499, within(1e-11));
    }

    @Test
    void losses_of_a_made_up_output_agree() {
        int[] times = {0, 1, 500, 999};
        double[] mse = {1.557421, 1.433675, 1.498708, 1.499658};
        double[] vb = {2.873222, 0.949169, 0.011918, 0.022078};
        for (int n = 0; n < 4; n++) {
            double alpha = LINEAR.alpha(times[n]);
            double sigma = LINEAR.sigma(times[n]);
            VariationalTerm term = VariationalTerm.at(LINEAR, times[n]);
            double squares = 0;
            double bits = 0;
            for (int i = 0; i < SAMPLE; i++) {
                int at = n * SAMPLE + i;
                double x0 = wave(0.11, 0, at);
                double noise = Math.sqrt(2) * wave(0.23, 0.5, at);
                double output = wave(0.07, 0.2, at);
                double x = alpha * x0 + sigma * noise;
                double predicted = (x - sigma * output) / alpha;
                squares += (noise - output) * (noise - output) / SAMPLE;
                bits += term.bits(x0, predicted, x, wave(0.05, 0.9, at)) / SAMPLE;
                if (n == 2 && i == 0) {
                    assertThat(x).isCloseTo(-1.285951, within(1e-6));
                }
            }
            assertThat(squares).as("mse at %d", times[n]).isCloseTo(mse[n], within(1e-5));
            assertThat(bits).as("vb at %d", times[n]).isCloseTo(vb[n], within(n < 2 ? 5e-4 : 1e-5));
        }
    }

    @Test
    void sampler_steps_of_a_made_up_output_agree() {
        int[] indices = {0, 1, 125, 249};
        double[] modelTimes = {0, 4, 502, 999};
        double[] mean = {0.639105, 0.635711, 0.661396, 0.660889};
        double[] logVariance = {-9.286309, -8.375722, -3.011979, -2.557230};
        double[] x0 = {0.070352, -0.070402, 0.097247, -10.448515};
        double[] ddim = {0.639105, 0.636460, 0.657697, 0.662089};
        TimeGrid grid = TimeGrid.respaced(LINEAR, "250");
        Process process = new Process(LINEAR, Prediction.EPSILON);
        Plan ancestral = new Ddpm(Ddpm.Variance.LEARNED_RANGE).plan(process, grid);
        Plan implicit = new Ddim().plan(process, grid);
        for (int n = 0; n < 4; n++) {
            int step = 249 - indices[n];
            int base = n * SAMPLE;
            Plan.Call call = ancestral.steps().get(step).call();
            assertThat(call.time()).isEqualTo(modelTimes[n]);
            assertThat(meanOf(i -> Math.abs(next(ancestral, step, base + i)))).isCloseTo(mean[n], within(2e-6));
            assertThat(meanOf(i -> Math.abs(next(implicit, step, base + i)))).isCloseTo(ddim[n], within(2e-6));
            assertThat(meanOf(i -> VariationalTerm.at(grid, step).logVariance(wave(0.05, 0.9, base + i))))
                    .isCloseTo(logVariance[n], within(2e-6));
            assertThat(meanOf(i -> call.x0FromState() * wave(0.11, 0, base + i)
                            + call.x0FromOutput() * wave(0.07, 0.2, base + i)))
                    .isCloseTo(x0[n], within(1e-5));
        }
    }

    private static double next(Plan plan, int step, int at) {
        Plan single = new Plan(
                plan.solver(),
                1,
                List.of(new Plan.Step(
                        plan.steps().get(step).call(), plan.steps().get(step).next(), NoiseScale.NONE)));
        return ArrayExecutor.run(
                single,
                new double[] {wave(0.11, 0, at)},
                (x, call) -> new double[] {wave(0.07, 0.2, at)},
                k -> null,
                (k, x0, x) -> {})[0];
    }

    private static double meanOf(IntToDoubleFunction value) {
        double sum = 0;
        for (int i = 0; i < SAMPLE; i++) {
            sum += value.applyAsDouble(i);
        }
        return sum / SAMPLE;
    }
}
