package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * The few-step loop of a network u(x, t, r), the mean velocity from t down to r (Geng et al. 2025; Boffi et al. 2025): x_r = x_t - (t - r) u(x_t, t, r), r being the next
 * time of the grid. The network is told r as {@link Plan.Call#until}. The schedule must be {@link FlowLinear}.
 *
 * @param stochastic jump to the clean sample every time, u(x, t, 0), and draw new noise up to the next time
 */
public record FlowMap(boolean stochastic) implements Solver {
    /** Deterministic. */
    public FlowMap() {
        this(false);
    }

    @Override
    public String name() {
        return "flow-map";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        double clean = process.schedule().cleanTime();
        List<Plan.Step> steps = new ArrayList<>();
        for (Plan.Step step : new FlowEuler(stochastic).plan(process, grid).steps()) {
            double until = stochastic ? clean : grid.to(steps.size()).time();
            steps.add(new Plan.Step(step.call().landingAt(until), step.next(), step.noise()));
        }
        return new Plan(stochastic ? name() + "(stochastic)" : name(), process.startScale(), steps);
    }
}
