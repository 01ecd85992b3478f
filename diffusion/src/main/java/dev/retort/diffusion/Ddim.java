package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * DDIM (Song et al. 2021, eq. 12 and 16): x_s = alpha_s x0 + sqrt(sigma_s^2 - v) eps + sqrt(v) noise, v = eta^2 times the posterior's variance. With eta 0 it is the
 * first-order solver of the probability flow for every schedule, in either direction.
 *
 * @param eta 0 deterministic, 1 as noisy as DDPM
 * @param rawEps with a clamp: keep the network's noise instead of the one that fits the clamped x0
 * @param stride 0 to chain the grid's points; otherwise every step from t lands at t - stride of the schedule, as some libraries do even where that is
 *     not the next point
 */
public record Ddim(double eta, boolean rawEps, int stride) implements Solver {
    public Ddim {
        if (!(eta >= 0) || Double.isInfinite(eta)) {
            throw new IllegalArgumentException("eta is " + eta + ", expected a finite number of at least 0");
        }
        if (stride < 0) {
            throw new IllegalArgumentException("stride is " + stride + ", expected at least 0");
        }
    }

    /** With noise eta, chained. */
    public Ddim(double eta) {
        this(eta, false, 0);
    }

    /** Deterministic, chained. */
    public Ddim() {
        this(0);
    }

    @Override
    public String name() {
        return "ddim";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point s = target(process, grid, i);
            double variance = eta == 0 ? 0 : eta * eta * new GaussianPosterior(t, s).variance();
            Combination next = Combination.x0(0)
                    .times(s.alpha())
                    .plus(process.eps(t, rawEps).times(Math.sqrt(s.sigma() * s.sigma() - variance)));
            steps.add(new Plan.Step(process.call(t), next, NoiseScale.fixed(Math.sqrt(variance))));
        }
        return new Plan(eta == 0 ? name() : name() + "(eta " + eta + ")", process.startScale(), steps);
    }

    private TimeGrid.Point target(Process process, TimeGrid grid, int step) {
        if (stride == 0) {
            return grid.to(step);
        }
        double time = grid.from(step).time() - stride;
        return time < 0 ? grid.to(grid.steps() - 1) : process.schedule().point(time);
    }
}
