package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Heun's second-order rule on the probability flow in the coordinates x / alpha (Karras et al. 2022, algorithm 1): two network calls per step, one for the last step if
 * it lands on the clean sample.
 */
public record Heun() implements Solver {
    @Override
    public String name() {
        return "heun";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        double startScale = Exploding.startScale(name(), process, grid);
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point at = grid.from(i);
            TimeGrid.Point to = grid.to(i);
            double h = to.noiseRatio() - at.noiseRatio();
            Combination slope = Exploding.slope(process, at);
            steps.add(new Plan.Step(
                    Exploding.call(process, at), Combination.state(0).plus(slope.times(h)), NoiseScale.NONE));
            if (to.sigma() > 0) {
                // The second call stands at the Euler point; the step starts again from the state one call before.
                Combination mean =
                        slope.before(1).plus(Exploding.slope(process, to)).times(0.5);
                steps.add(new Plan.Step(
                        Exploding.call(process, to), Combination.state(1).plus(mean.times(h)), NoiseScale.NONE));
            }
        }
        return new Plan(name(), startScale, steps);
    }
}
