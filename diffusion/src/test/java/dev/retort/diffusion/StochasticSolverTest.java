package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Solvers that add noise must end in the data distribution, not only near it. */
class StochasticSolverTest {
    private static final DiscreteSchedule TABLE = DiscreteSchedule.linear();
    private static final GaussianMixture MIXTURE =
            new GaussianMixture(new double[] {0.7, 0.3}, new double[][] {{1.2}, {-0.9}}, new double[] {0.2, 0.4});
    private static final int SAMPLES = 1500;

    @TestFactory
    Stream<DynamicTest> samples_have_the_shares_means_and_deviations_of_the_data() {
        return Stream.of(
                        new Ddpm(Ddpm.Variance.FIXED_SMALL),
                        new Ddpm(Ddpm.Variance.FIXED_LARGE),
                        new Ddim(1),
                        new Ddim(0.5),
                        new EulerAncestral(),
                        new Euler(new Euler.Churn(10, 0.05, 20, 1)),
                        new DpmSolver(2, DpmSolver.Form.DATA_SDE, DpmSolver.Rule.MIDPOINT, true, false),
                        new Ddim(),
                        new UniPc())
                .map(solver -> DynamicTest.dynamicTest(
                        solver.toString(),
                        () -> assertData(
                                solver.plan(new Process(TABLE, Prediction.EPSILON), TimeGrid.karras(TABLE, 60)))));
    }

    private static void assertData(Plan plan) {
        double right = 0;
        double[] sum = new double[2];
        double[] squares = new double[2];
        int[] count = new int[2];
        for (int i = 0; i < SAMPLES; i++) {
            double x = ArrayExecutor.sample(plan, 1, MIXTURE.network(), 11, i)[0];
            int k = x > 0.1 ? 0 : 1;
            right += k == 0 ? 1. / SAMPLES : 0;
            count[k]++;
            sum[k] += x;
            squares[k] += x * x;
        }
        assertThat(right).as("share").isCloseTo(0.7, within(0.04));
        for (int k = 0; k < 2; k++) {
            double mean = sum[k] / count[k];
            double deviation = Math.sqrt(squares[k] / count[k] - mean * mean);
            assertThat(mean).as("mean %d", k).isCloseTo(MIXTURE.mean(k)[0], within(0.05));
            assertThat(deviation).as("deviation %d", k).isCloseTo(MIXTURE.deviation(k), within(0.05));
        }
    }

    /** Where the probability flow of one Gaussian takes a state, exactly: what a perfect consistency model returns. */
    private static double[] consistent(double[] x, Plan.Call call) {
        double spread = Math.sqrt(call.alpha() * call.alpha() * 0.09 + call.sigma() * call.sigma());
        return new double[] {0.5 + 0.3 * (x[0] - call.alpha() * 0.5) / spread};
    }

    @Test
    void a_perfect_consistency_model_keeps_the_distribution_in_any_number_of_steps() {
        Process process = new Process(TABLE, Prediction.X0);
        for (int steps : new int[] {1, 2, 4, 8}) {
            for (Solver solver : new Solver[] {new Lcm(), new Tcd(1), new FlowEuler(true)}) {
                boolean flow = solver instanceof FlowEuler;
                FlowLinear straight = new FlowLinear();
                Plan plan = flow
                        ? solver.plan(new Process(straight, Prediction.X0), TimeGrid.flow(straight, steps, 1))
                        : solver.plan(process, TimeGrid.consistency(TABLE, steps, 50));
                double mean = 0;
                double squares = 0;
                for (int i = 0; i < SAMPLES; i++) {
                    double x = ArrayExecutor.sample(plan, 1, StochasticSolverTest::consistent, 3, i)[0];
                    mean += x / SAMPLES;
                    squares += x * x / SAMPLES;
                }
                assertThat(mean).as("%s in %d", solver, steps).isCloseTo(0.5, within(0.03));
                assertThat(Math.sqrt(squares - mean * mean))
                        .as("%s in %d", solver, steps)
                        .isCloseTo(0.3, within(0.02));
            }
        }
    }

    @Test
    void learned_range_at_its_ends_is_both_fixed_variances() {
        Process process = new Process(TABLE, Prediction.EPSILON);
        TimeGrid grid = TimeGrid.respaced(TABLE, "20");
        Plan learned = new Ddpm(Ddpm.Variance.LEARNED_RANGE).plan(process, grid);
        for (int v = -1; v <= 1; v += 2) {
            int channel = v;
            Plan fixed = new Ddpm(v < 0 ? Ddpm.Variance.FIXED_SMALL : Ddpm.Variance.FIXED_LARGE).plan(process, grid);
            double want = ArrayExecutor.sample(fixed, 1, MIXTURE.network(), 5, 0)[0];
            double got = ArrayExecutor.sample(
                    learned, 1, (x, call) -> new double[] {MIXTURE.network().output(x, call)[0], channel}, 5, 0)[0];
            assertThat(got).isCloseTo(want, within(1e-12));
        }
    }
}
