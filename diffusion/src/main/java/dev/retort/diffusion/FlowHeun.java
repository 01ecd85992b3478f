package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Heun's second-order rule on dx/dt = eps - x0 along the straight path: two network calls per step, one for the last step, which lands on
 * the clean sample. The schedule must be {@link FlowLinear}.
 */
public record FlowHeun() implements Solver {
    @Override
    public String name() {
        return "flow-heun";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        FlowEuler.requireStraight(name(), process);
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point s = grid.to(i);
            double h = s.sigma() - t.sigma();
            Combination u = FlowEuler.velocity(process, t);
            steps.add(new Plan.Step(process.call(t), Combination.state(0).plus(u.times(h)), NoiseScale.NONE));
            if (s.sigma() > 0) {
                // The second call stands at the Euler point; the step starts again from the state one call before.
                Combination mean =
                        u.before(1).plus(FlowEuler.velocity(process, s)).times(0.5);
                Combination next = Combination.state(1).plus(mean.times(h));
                steps.add(new Plan.Step(process.call(s), next, NoiseScale.NONE));
            }
        }
        return new Plan(name(), process.startScale(), steps);
    }
}
