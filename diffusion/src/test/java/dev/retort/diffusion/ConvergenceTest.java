package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Deterministic solvers reach the end of the probability flow of a Gaussian mixture, with an error that falls as their order says. */
class ConvergenceTest {
    private static final GaussianMixture MIXTURE = new GaussianMixture(
            new double[] {0.5, 0.3, 0.2}, new double[][] {{1, 0.5}, {-1, 0.8}, {0.2, -1.1}}, new double[] {0.3, 0.4, 0.5
            });
    private static final double[][] STARTS = {{0.3, -1.2}, {1.4, 0.2}, {-0.7, 0.9}, {-1.5, -1.1}};

    /** Where the exact flow ends, by where it began. */
    private static final Map<List<Double>, double[]> ENDS = new HashMap<>();

    private record Trial(Solver solver, Process process, IntFunction<TimeGrid> grid, int coarse, double order) {
        @Override
        public String toString() {
            return solver + " with " + process.prediction() + " on "
                    + process.schedule().name();
        }
    }

    private static List<Trial> trials() {
        List<Trial> trials = new ArrayList<>();
        CosineLogSnr cosine = new CosineLogSnr(-9, 6);
        for (Prediction prediction : Prediction.values()) {
            Process process = new Process(cosine, prediction);
            IntFunction<TimeGrid> even = n -> evenLambda(cosine, n);
            trials.add(new Trial(new Ddim(), process, even, 80, 1));
            trials.add(new Trial(new Euler(), process, even, 80, 1));
            trials.add(new Trial(new Heun(), process, even, 40, 2));
            trials.add(new Trial(new DpmSolver(1), process, even, 80, 1));
            trials.add(new Trial(full(2, DpmSolver.Form.DATA, DpmSolver.Rule.MIDPOINT), process, even, 60, 2));
            trials.add(new Trial(full(2, DpmSolver.Form.DATA, DpmSolver.Rule.EXACT), process, even, 60, 2));
            trials.add(new Trial(full(2, DpmSolver.Form.NOISE, DpmSolver.Rule.MIDPOINT), process, even, 60, 2));
            trials.add(new Trial(full(3, DpmSolver.Form.DATA, DpmSolver.Rule.MIDPOINT), process, even, 60, 2));
            trials.add(new Trial(full(3, DpmSolver.Form.DATA, DpmSolver.Rule.EXACT), process, even, 100, 3));
            trials.add(new Trial(new UniPc(2, UniPc.Base.BH2, false), process, even, 60, 3));
            trials.add(new Trial(new UniPc(2, UniPc.Base.BH1, false), process, even, 60, 3));
            trials.add(new Trial(new UniPc(3, UniPc.Base.BH2, false), process, even, 60, 3));
        }
        Process cosineEps = new Process(cosine, Prediction.EPSILON);
        trials.add(new Trial(new Pndm(), cosineEps, n -> TimeGrid.uniform(cosine, n), 80, 2));
        trials.add(new Trial(new Pndm(true, 0), cosineEps, n -> TimeGrid.uniform(cosine, n), 80, 2));
        FlowLinear flow = new FlowLinear();
        for (Prediction prediction : List.of(Prediction.FLOW, Prediction.V, Prediction.X0)) {
            Process process = new Process(flow, prediction);
            trials.add(new Trial(new FlowEuler(), process, n -> TimeGrid.flow(flow, n, 1), 80, 1));
            trials.add(new Trial(new FlowEuler(), process, n -> TimeGrid.flow(flow, n, 3), 80, 1));
            trials.add(new Trial(new FlowHeun(), process, n -> TimeGrid.flow(flow, n, 1), 40, 2));
            trials.add(new Trial(new Ddim(), process, n -> TimeGrid.flow(flow, n, 1), 80, 1));
        }
        KarrasSchedule karras = new KarrasSchedule(0.01, 80);
        Process edm = new Process(karras, Prediction.X0);
        trials.add(new Trial(new Heun(), edm, n -> withoutClean(TimeGrid.karras(karras, n + 1)), 40, 2));
        trials.add(new Trial(new Euler(), edm, n -> withoutClean(TimeGrid.karras(karras, n + 1)), 80, 1));
        TrigFlow arc = new TrigFlow(1);
        trials.add(new Trial(new Ddim(), new Process(arc, Prediction.V), n -> TimeGrid.uniform(arc, n), 80, 1));
        return trials;
    }

    private static DpmSolver full(int order, DpmSolver.Form form, DpmSolver.Rule rule) {
        return new DpmSolver(order, form, rule, false, false);
    }

    /** N steps of equal length in ln(alpha/sigma), from pure noise almost to the data. */
    private static TimeGrid evenLambda(NoiseSchedule schedule, int n) {
        double low = schedule.noiseRatio(schedule.cleanTime());
        double high = schedule.noiseRatio(schedule.noisiestTime());
        return withoutClean(TimeGrid.exponential(schedule, n + 1, low * 1.0001, high * 0.9999));
    }

    /** The last call becomes the end. */
    private static TimeGrid withoutClean(TimeGrid grid) {
        return new TimeGrid(grid.name(), grid.points().subList(0, grid.steps()));
    }

    @TestFactory
    Stream<DynamicTest> the_error_falls_with_the_order_of_the_solver() {
        return trials().stream()
                .map(trial -> DynamicTest.dynamicTest(trial.toString(), () -> {
                    double coarse = error(trial, trial.coarse());
                    double fine = error(trial, 2 * trial.coarse());
                    double finest = error(trial, 4 * trial.coarse());
                    double slope = Math.log(fine / finest) / Math.log(2);
                    assertThat(slope)
                            .as("order between %.2e, %.2e and %.2e", coarse, fine, finest)
                            .isBetween(trial.order() - 0.2, trial.order() + 1.2);
                    assertThat(finest).isLessThan(trial.order() == 1 ? 0.05 : 2e-3);
                }));
    }

    private static double error(Trial trial, int n) {
        TimeGrid grid = trial.grid().apply(n);
        Plan plan = trial.solver().plan(trial.process(), grid);
        boolean exploding = plan.steps().get(0).call().inputScale() != 1;
        TimeGrid.Point from = grid.from(0);
        TimeGrid.Point to = grid.to(grid.steps() - 1);
        double worst = 0;
        for (double[] start : STARTS) {
            double[] got = ArrayExecutor.run(plan, start, MIXTURE.network(), k -> null, (k, x0, x) -> {});
            // A plan starts from a scaled start in its own coordinates, which is where the flow starts too.
            double scale = plan.startScale() * (exploding ? from.alpha() : 1);
            double[] want = ENDS.computeIfAbsent(
                    List.of(start[0], scale, from.alpha(), from.sigma(), to.alpha(), to.sigma()),
                    key -> flow(start, scale, from, to));
            for (int d = 0; d < want.length; d++) {
                double state = exploding ? got[d] * to.alpha() : got[d];
                worst = Math.max(worst, Math.abs(state - want[d]));
            }
        }
        return worst;
    }

    /** The probability flow from x = scale * start, by the classic Runge-Kutta rule over angles atan(sigma/alpha), which are finite everywhere. */
    private static double[] flow(double[] start, double scale, TimeGrid.Point from, TimeGrid.Point to) {
        double first = Math.atan2(from.sigma(), from.alpha());
        double last = Math.atan2(to.sigma(), to.alpha());
        // On the unit circle: u = x / |(alpha, sigma)|, du/dangle = cos eps - sin x0.
        double[] u = new double[start.length];
        for (int d = 0; d < u.length; d++) {
            u[d] = scale * start[d] / Math.hypot(from.alpha(), from.sigma());
        }
        int n = 4000;
        // Steps even in ln tan of the angle where it can be, to resolve the end near the data.
        for (int i = 0; i < n; i++) {
            double a = angle(first, last, (double) i / n);
            double h = angle(first, last, (i + 1.) / n) - a;
            double[] k1 = slope(u, a);
            double[] k2 = slope(moved(u, k1, h / 2), a + h / 2);
            double[] k3 = slope(moved(u, k2, h / 2), a + h / 2);
            double[] k4 = slope(moved(u, k3, h), a + h);
            for (int d = 0; d < u.length; d++) {
                u[d] += h / 6 * (k1[d] + 2 * k2[d] + 2 * k3[d] + k4[d]);
            }
        }
        double length = Math.hypot(to.alpha(), to.sigma());
        for (int d = 0; d < u.length; d++) {
            u[d] *= length;
        }
        return u;
    }

    private static double angle(double first, double last, double part) {
        double eased = part * part * (3 - 2 * part);
        return first + (last - first) * eased;
    }

    private static double[] moved(double[] u, double[] slope, double h) {
        double[] v = new double[u.length];
        for (int d = 0; d < u.length; d++) {
            v[d] = u[d] + h * slope[d];
        }
        return v;
    }

    private static double[] slope(double[] u, double angle) {
        if (Math.sin(angle) < 1e-12) {
            return new double[u.length];
        }
        return MIXTURE.output(Prediction.V, u, Math.cos(angle), Math.sin(angle));
    }

    @Test
    void inversion_then_sampling_returns_to_where_it_began() {
        DiscreteSchedule table = DiscreteSchedule.linear();
        Process process = new Process(table, Prediction.EPSILON);
        TimeGrid grid = TimeGrid.leading(table, 500, 0);
        double[] x = {0.9, 0.4};
        Plan upward = new Ddim().plan(process, grid.inverted());
        double[] noise = ArrayExecutor.run(upward, x, MIXTURE.network(), k -> null, (k, x0, y) -> {});
        double[] back = ArrayExecutor.run(
                new Ddim().plan(process, grid), noise, MIXTURE.network(), k -> null, (k, x0, y) -> {});
        assertThat(Math.hypot(noise[0] - x[0], noise[1] - x[1])).isGreaterThan(0.2);
        assertThat(Math.hypot(back[0] - x[0], back[1] - x[1])).isLessThan(0.02);
    }
}
