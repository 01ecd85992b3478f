package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Euler to a lower noise level than the grid's, then fresh noise up to it, so that every step has the variance of ancestral sampling. In the coordinates x / alpha:
 * up^2 = r'^2 (r^2 - r'^2) / r^2, down^2 = r'^2 - up^2.
 *
 * @param eta 1 for the full noise, 0 for plain Euler
 */
public record EulerAncestral(double eta) implements Solver {
    public EulerAncestral {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta is " + eta + ", expected 0..1");
        }
    }

    /** The full noise. */
    public EulerAncestral() {
        this(1);
    }

    @Override
    public String name() {
        return "euler-ancestral";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        double startScale = Exploding.startScale(name(), process, grid);
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point at = grid.from(i);
            double from = at.noiseRatio();
            double to = grid.to(i).noiseRatio();
            double up = eta * to * Math.sqrt(from * from - to * to) / from;
            double down = Math.sqrt(to * to - up * up);
            Combination next =
                    Combination.state(0).plus(Exploding.slope(process, at).times(down - from));
            steps.add(new Plan.Step(Exploding.call(process, at), next, NoiseScale.fixed(up)));
        }
        return new Plan(eta == 1 ? name() : name() + "(eta " + eta + ")", startScale, steps);
    }
}
