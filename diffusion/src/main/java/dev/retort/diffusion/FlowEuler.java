package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Euler on dx/dt = eps - x0 along the straight path: x += (s - t) u. Networks of other predictions are converted. The schedule must
 * be {@link FlowLinear}.
 *
 * @param stochastic draw new noise in every step: x_s = (1 - s) x0 + s noise
 */
public record FlowEuler(boolean stochastic) implements Solver {
    /** Deterministic. */
    public FlowEuler() {
        this(false);
    }

    @Override
    public String name() {
        return "flow-euler";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        requireStraight(name(), process);
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point s = grid.to(i);
            if (stochastic) {
                Combination next = Combination.x0(0).times(s.alpha());
                steps.add(new Plan.Step(process.call(t), next, NoiseScale.fixed(s.sigma())));
            } else {
                Combination next =
                        Combination.state(0).plus(velocity(process, t).times(s.sigma() - t.sigma()));
                steps.add(new Plan.Step(process.call(t), next, NoiseScale.NONE));
            }
        }
        return new Plan(stochastic ? name() + "(stochastic)" : name(), process.startScale(), steps);
    }

    /** u = eps - x0 of the latest call. */
    static Combination velocity(Process process, TimeGrid.Point t) {
        if (!process.clamp().equals(Clamp.NONE)) {
            return process.eps(t, false).minus(Combination.x0(0));
        }
        Prediction prediction = process.prediction();
        return Combination.state(0)
                .times(Prediction.FLOW.fromState(prediction, t.alpha(), t.sigma()))
                .plus(Combination.output(0).times(Prediction.FLOW.fromOutput(prediction, t.alpha(), t.sigma())));
    }

    static void requireStraight(String solver, Process process) {
        if (!(process.schedule() instanceof FlowLinear)) {
            throw new IllegalArgumentException("the solver " + solver + " needs the schedule flow, but it is "
                    + process.schedule().name() + "; use ddim, euler, heun or dpmpp-2m instead");
        }
    }
}
