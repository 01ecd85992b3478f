package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * The multistep DPM-Solver family (Lu et al. 2022a, 2022b). The network's part of the exact solution is expanded in lambda = ln(alpha/sigma) around the
 * latest call, with derivatives from earlier calls. The first steps have lower order, for want of earlier calls.
 *
 * @param order 1, 2 or 3; SDE and NOISE forms go to 2
 * @param form what is expanded
 * @param rule how derivatives are weighed
 * @param lowerOrderFinal fall back to lower order in the last steps when there are fewer than 15
 * @param eulerAtFinal always make the last step of order 1 (it is so anyway when it lands on the clean sample)
 */
public record DpmSolver(int order, Form form, Rule rule, boolean lowerOrderFinal, boolean eulerAtFinal)
        implements Solver {

    /** What is expanded. */
    public enum Form {
        /** DPM-Solver++: the predicted clean sample. */
        DATA,
        /** DPM-Solver: the predicted noise; cannot land on the clean sample. */
        NOISE,
        /** SDE-DPM-Solver++: the predicted clean sample, with fresh noise in every step. */
        DATA_SDE
    }

    /** How derivatives are weighed. */
    public enum Rule {
        /**
         * As in the published multistep code: the first derivative of order 2 counts half a step, and the second derivative of order 3 half of its exact weight, so that
         * order 3 converges at order 2 (with smaller errors than order 2).
         */
        MIDPOINT,
        /** The exact integral of the polynomial ("heun" elsewhere); order 3 converges at order 3. */
        EXACT
    }

    public DpmSolver {
        int most = form == Form.DATA ? 3 : 2;
        if (order < 1 || order > most) {
            throw new IllegalArgumentException("order is " + order + ", expected 1.." + most + " for the form " + form);
        }
        if (form != Form.DATA && rule != Rule.MIDPOINT) {
            throw new IllegalArgumentException("rule is " + rule + ", expected MIDPOINT for the form " + form);
        }
    }

    /** The usual settings of DPM-Solver++. */
    public DpmSolver(int order) {
        this(order, Form.DATA, Rule.MIDPOINT, true, false);
    }

    @Override
    public String name() {
        String steps = order + "m";
        return form == Form.NOISE ? "dpm-" + steps : "dpmpp-" + steps + (form == Form.DATA ? "" : "-sde");
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point s = grid.to(i);
            // exp(-h), h = lambda_s - lambda_t: finite also where one of the lambdas is not.
            double decay = t.alpha() * s.sigma() / (s.alpha() * t.sigma());
            Combination next = form == Form.NOISE
                    ? Combination.state(0).times(s.alpha() / t.alpha())
                    : Combination.state(0).times(s.sigma() / t.sigma() * (form == Form.DATA_SDE ? decay : 1));
            next = next.plus(expansion(process, grid, i, decay));
            double noise = form == Form.DATA_SDE ? s.sigma() * Math.sqrt(1 - decay * decay) : 0;
            steps.add(new Plan.Step(process.call(t), next, NoiseScale.fixed(noise)));
        }
        return new Plan(name() + (rule == Rule.EXACT ? "(exact)" : ""), process.startScale(), steps);
    }

    /** What the network's part adds to the linear part of the solution. */
    private Combination expansion(Process process, TimeGrid grid, int step, double decay) {
        TimeGrid.Point s = grid.to(step);
        int order = orderAt(step, grid);
        Combination m0 = model(process, grid, step, 0);
        // The weight of the constant term.
        double c0 = s.alpha() * (1 - decay);
        if (form == Form.NOISE) {
            c0 = -s.sigma() * (1 / decay - 1);
        } else if (form == Form.DATA_SDE) {
            c0 = s.alpha() * (1 - decay * decay);
        }
        if (order == 1) {
            return m0.times(c0);
        }
        double h = s.lambda() - grid.from(step).lambda();
        double r0 = (grid.from(step).lambda() - grid.from(step - 1).lambda()) / h;
        Combination d0 = m0.minus(model(process, grid, step, 1)).times(1 / r0);
        // The exact weight of a derivative, alpha ((e^-h - 1)/h + 1).
        double c1 = s.alpha() * (1 - (1 - decay) / h);
        if (order == 2) {
            return m0.times(c0).plus(d0.times(rule == Rule.MIDPOINT ? c0 / 2 : c1));
        }
        double r1 = (grid.from(step - 1).lambda() - grid.from(step - 2).lambda()) / h;
        Combination d1 = model(process, grid, step, 1)
                .minus(model(process, grid, step, 2))
                .times(1 / r1);
        Combination curve = d0.minus(d1);
        Combination first = d0.plus(curve.times(r0 / (r0 + r1)));
        Combination second = curve.times(1 / (r0 + r1));
        double c2 = s.alpha() * ((1 - decay - h) / (h * h) + 0.5) * (rule == Rule.MIDPOINT ? 1 : 2);
        return m0.times(c0).plus(first.times(c1)).plus(second.times(c2));
    }

    private int orderAt(int step, TimeGrid grid) {
        int n = grid.steps();
        boolean few = lowerOrderFinal && n < 15;
        int most = order;
        if (step == n - 1 && (eulerAtFinal || few || grid.to(step).sigma() == 0)) {
            most = 1;
        } else if (step == n - 2 && few) {
            most = 2;
        }
        return Math.min(Math.min(most, order), step + 1);
    }

    /** What is expanded, as the call {@code lag} steps ago gave it. */
    private Combination model(Process process, TimeGrid grid, int step, int lag) {
        return form == Form.NOISE ? process.eps(grid.from(step - lag), false).before(lag) : Combination.x0(lag);
    }
}
