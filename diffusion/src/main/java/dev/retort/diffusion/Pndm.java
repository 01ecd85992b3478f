package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Pseudo numerical methods (Liu et al. 2022): the Adams-Bashforth rule of order 4 on network outputs, each transferred by the DDIM step. It starts either by calling the
 * second time twice (Stable Diffusion 1.x), so that N grid points make N + 1 calls, or by three pseudo Runge-Kutta steps of four calls each.
 *
 * @param rungeKuttaStart whether the first three steps are Runge-Kutta steps; needs a grid of at least 4 calls
 * @param stride 0 to chain the grid's points; otherwise every step from t lands at t - stride of the schedule, as some libraries do even where that is
 *     not the next point
 */
public record Pndm(boolean rungeKuttaStart, int stride) implements Solver {
    private static final double[][] ADAMS_BASHFORTH = {
        {1}, {3. / 2, -1. / 2}, {23. / 12, -16. / 12, 5. / 12}, {55. / 24, -59. / 24, 37. / 24, -9. / 24}
    };

    public Pndm {
        if (stride < 0) {
            throw new IllegalArgumentException("stride is " + stride + ", expected at least 0");
        }
    }

    /** The start of Stable Diffusion, chained. */
    public Pndm() {
        this(false, 0);
    }

    @Override
    public String name() {
        return "pndm";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        if (!process.clamp().equals(Clamp.NONE)) {
            throw new IllegalArgumentException(
                    "pndm combines raw network outputs and cannot clamp; use ddim or dpmpp-2m");
        }
        List<Plan.Step> steps = new ArrayList<>();
        // Which calls' outputs feed the multistep rule, newest first.
        List<Integer> remembered = new ArrayList<>();
        int next = rungeKuttaStart ? rungeKutta(process, grid, steps, remembered) : 0;
        for (int i = next; i < grid.steps(); i++) {
            int call = steps.size();
            remembered.add(0, call);
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point s = landing(process, grid, i);
            steps.add(step(process, t, transfer(process, t, s, multistep(remembered, call), 0)));
            if (i == 0 && grid.steps() > 1) {
                steps.add(again(process, grid));
            }
        }
        return new Plan(name() + (rungeKuttaStart ? "(runge-kutta)" : ""), process.startScale(), steps);
    }

    /** The first step again, with the mean of the outputs at its two ends; this output is not remembered. */
    private Plan.Step again(Process process, TimeGrid grid) {
        TimeGrid.Point s = grid.from(1);
        TimeGrid.Point t = stride == 0 ? grid.from(0) : process.schedule().point(s.time() + stride);
        Combination mean = Combination.output(0).plus(Combination.output(1)).times(0.5);
        return step(process, s, transfer(process, t, s, mean, 1));
    }

    private int rungeKutta(Process process, TimeGrid grid, List<Plan.Step> steps, List<Integer> remembered) {
        if (grid.steps() < 4) {
            throw new IllegalArgumentException("pndm with a Runge-Kutta start has a grid of " + grid.steps()
                    + " calls; expected at least 4, or the other start");
        }
        NoiseSchedule schedule = process.schedule();
        for (int i = 0; i < 3; i++) {
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point s = grid.from(i + 1);
            double half = (t.time() - s.time()) / 2;
            half = schedule instanceof DiscreteSchedule ? Math.floor(half) : half;
            TimeGrid.Point middle = schedule.point(s.time() + half);
            remembered.add(0, steps.size());
            Combination k1 = Combination.output(0);
            steps.add(step(process, t, transfer(process, t, schedule.point(t.time() - half), k1, 0)));
            steps.add(step(process, middle, transfer(process, t, middle, Combination.output(0), 1)));
            steps.add(step(
                    process,
                    middle,
                    transfer(process, t, schedule.point(middle.time() - half), Combination.output(0), 2)));
            Combination mean = Combination.output(3)
                    .plus(Combination.output(2).times(2))
                    .plus(Combination.output(1).times(2))
                    .plus(Combination.output(0))
                    .times(1. / 6);
            steps.add(step(process, s, transfer(process, t, s, mean, 3)));
        }
        return 3;
    }

    private static Combination multistep(List<Integer> remembered, int call) {
        double[] weights = ADAMS_BASHFORTH[Math.min(remembered.size(), 4) - 1];
        Combination sum = Combination.ZERO;
        for (int i = 0; i < weights.length; i++) {
            sum = sum.plus(Combination.output(call - remembered.get(i)).times(weights[i]));
        }
        return sum;
    }

    private TimeGrid.Point landing(Process process, TimeGrid grid, int step) {
        if (stride == 0) {
            return grid.to(step);
        }
        double time = grid.from(step).time() - stride;
        return time < 0 ? grid.to(grid.steps() - 1) : process.schedule().point(time);
    }

    private static Plan.Step step(Process process, TimeGrid.Point at, Combination next) {
        return new Plan.Step(process.call(at), next, NoiseScale.NONE);
    }

    /** The DDIM step from t to s, of the state {@code lag} calls ago, with an output put together from several calls. */
    private static Combination transfer(
            Process process, TimeGrid.Point t, TimeGrid.Point s, Combination output, int lag) {
        Prediction prediction = process.prediction();
        Combination state = Combination.state(lag);
        double alpha = t.alpha();
        double sigma = t.sigma();
        Combination x0 = state.times(prediction.x0FromState(alpha, sigma))
                .plus(output.times(prediction.x0FromOutput(alpha, sigma)));
        Combination eps = state.times(prediction.epsFromState(alpha, sigma))
                .plus(output.times(prediction.epsFromOutput(alpha, sigma)));
        return x0.times(s.alpha()).plus(eps.times(s.sigma()));
    }
}
