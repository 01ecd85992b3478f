package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Euler's rule on the probability flow in the coordinates x / alpha (Karras et al. 2022, algorithm 1 without its second half): y += (r' - r) eps, r = sigma / alpha.
 *
 * @param churn noise added on the way
 */
public record Euler(Churn churn) implements Solver {

    /**
     * Extra noise in steps that start between two noise levels. It is added after the network call, as in the libraries whose trajectories are compared, not before
     * it as in the paper.
     *
     * @param amount S_churn, 0 for none
     * @param from S_tmin
     * @param to S_tmax
     * @param noise S_noise, the standard deviation of the noise, usually a little above 1
     */
    public record Churn(double amount, double from, double to, double noise) {
        /** No extra noise. */
        public static final Churn NONE = new Churn(0, 0, 0, 1);

        public Churn {
            if (!(amount >= 0)) {
                throw new IllegalArgumentException("amount is " + amount + ", expected at least 0");
            }
        }
    }

    /** Deterministic. */
    public Euler() {
        this(Churn.NONE);
    }

    @Override
    public String name() {
        return "euler";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        double startScale = Exploding.startScale(name(), process, grid);
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point at = grid.from(i);
            double ratio = at.noiseRatio();
            double raised = ratio * (1 + gamma(ratio, grid.steps()));
            Combination next = Combination.state(0)
                    .plus(Exploding.slope(process, at).times(grid.to(i).noiseRatio() - raised));
            double added = Math.sqrt(raised * raised - ratio * ratio) * churn.noise();
            steps.add(new Plan.Step(Exploding.call(process, at), next, NoiseScale.fixed(added)));
        }
        return new Plan(churn.amount() == 0 ? name() : name() + "(" + churn + ")", startScale, steps);
    }

    private double gamma(double ratio, int steps) {
        boolean inside = ratio >= churn.from() && ratio <= churn.to();
        return inside ? Math.min(churn.amount() / steps, Math.sqrt(2) - 1) : 0;
    }
}
