package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Ancestral sampling (Ho et al. 2020, algorithm 2), on any grid: the posterior q(x_s | x_t, x0) with x0 replaced by its prediction. No noise is added by a step
 * that lands on the clean sample.
 *
 * @param variance which variance the steps have
 */
public record Ddpm(Variance variance) implements Solver {

    /** The variance of a step. */
    public enum Variance {
        /** The posterior's, beta tilde. */
        FIXED_SMALL,
        /** The forward step's, beta. */
        FIXED_LARGE,
        /** Interpolated between both by the second half of the network's channels. */
        LEARNED_RANGE
    }

    /** The posterior's variance. */
    public Ddpm() {
        this(Variance.FIXED_SMALL);
    }

    @Override
    public String name() {
        return "ddpm";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            GaussianPosterior posterior = new GaussianPosterior(grid.from(i), grid.to(i));
            Combination mean = Combination.x0(0)
                    .times(posterior.meanFromX0())
                    .plus(Combination.state(0).times(posterior.meanFromState()));
            steps.add(new Plan.Step(process.call(grid.from(i)), mean, noise(posterior)));
        }
        return new Plan(name() + "(" + variance + ")", process.startScale(), steps);
    }

    private NoiseScale noise(GaussianPosterior posterior) {
        if (posterior.variance() == 0) {
            return NoiseScale.NONE;
        }
        if (variance == Variance.LEARNED_RANGE) {
            return new NoiseScale.LearnedRange(StrictMath.log(posterior.beta()), StrictMath.log(posterior.variance()));
        }
        return NoiseScale.fixed(Math.sqrt(variance == Variance.FIXED_SMALL ? posterior.variance() : posterior.beta()));
    }
}
