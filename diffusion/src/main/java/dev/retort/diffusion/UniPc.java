package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * UniPC on the predicted clean sample (Zhao et al. 2023): a multistep predictor, and a corrector that uses each network call once more, to improve the state at which
 * it was made. Both have the same coefficients, from a small linear system over the distances in lambda = ln(alpha/sigma).
 *
 * @param order 1, 2 or 3
 * @param base B(h) of the paper; BH1 cannot land on the clean sample
 * @param lowerOrderFinal lower the order towards the last step, so that none asks for what the grid does not have
 */
public record UniPc(int order, Base base, boolean lowerOrderFinal) implements Solver {

    /** B(h). */
    public enum Base {
        /** h. */
        BH1,
        /** e^h - 1. */
        BH2
    }

    public UniPc {
        if (order < 1 || order > 3) {
            throw new IllegalArgumentException("order is " + order + ", expected 1..3");
        }
    }

    /** Order 2, BH2. */
    public UniPc() {
        this(2, Base.BH2, true);
    }

    @Override
    public String name() {
        return "unipc";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        if (base == Base.BH1
                && (grid.to(grid.steps() - 1).sigma() == 0 || grid.from(0).alpha() == 0)) {
            throw new IllegalArgumentException(
                    "unipc with base BH1 cannot start at pure noise nor land on the clean sample; use BH2");
        }
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            Combination refined = i == 0 ? Combination.state(0) : corrected(grid, i);
            steps.add(new Plan.Step(process.call(grid.from(i)), refined, predicted(grid, i), NoiseScale.NONE));
        }
        return new Plan(name() + "(" + order + "," + base + ")", process.startScale(), steps);
    }

    private int orderAt(int step, TimeGrid grid) {
        int most = lowerOrderFinal ? Math.min(order, grid.steps() - step) : order;
        // A start at pure noise is infinitely far in lambda and gives no derivative.
        int reachable = grid.from(0).alpha() == 0 ? Math.max(step, 1) : step + 1;
        return Math.min(most, reachable);
    }

    /** The next state, from calls up to this one. */
    private Combination predicted(TimeGrid grid, int step) {
        int p = orderAt(step, grid);
        Expansion e = new Expansion(grid, step, p);
        double[] weights = p == 2 ? new double[] {0.5} : p == 1 ? new double[0] : e.solve(p - 1);
        Combination sum = e.base(0);
        for (int i = 0; i < p - 1; i++) {
            sum = sum.plus(e.difference(i, 0).times(-e.scale() * weights[i]));
        }
        return sum;
    }

    /** The current state once more, from the previous one and calls up to this one. */
    private Combination corrected(TimeGrid grid, int step) {
        int p = orderAt(step - 1, grid);
        Expansion e = new Expansion(grid, step - 1, p);
        double[] weights = p == 1 ? new double[] {0.5} : e.solve(p);
        Combination sum = e.base(1);
        for (int i = 0; i < p - 1; i++) {
            sum = sum.plus(e.difference(i, 1).times(-e.scale() * weights[i]));
        }
        Combination latest = Combination.x0(0).minus(Combination.x0(1));
        return sum.plus(latest.times(-e.scale() * weights[p - 1]));
    }

    /** The numbers of one step from point t to point s, with p - 1 earlier points. */
    private final class Expansion {
        private final TimeGrid.Point t;
        private final TimeGrid.Point s;
        private final double[] r;
        private final double[] b;
        private final double phi1;
        private final double bh;

        Expansion(TimeGrid grid, int step, int p) {
            t = grid.from(step);
            s = grid.to(step);
            double h = -(s.lambda() - t.lambda());
            // exp(h) - 1, finite also where a lambda is not.
            phi1 = t.alpha() * s.sigma() / (s.alpha() * t.sigma()) - 1;
            bh = base == Base.BH1 ? h : phi1;
            r = new double[p];
            for (int i = 0; i < p - 1; i++) {
                r[i] = (grid.from(step - i - 1).lambda() - t.lambda()) / -h;
            }
            r[p - 1] = 1;
            b = new double[p];
            double phi = phi1 / h - 1;
            double factorial = 1;
            for (int i = 0; i < p; i++) {
                b[i] = phi * factorial / bh;
                factorial *= i + 2;
                phi = phi / h - 1 / factorial;
            }
        }

        /** The first-order solution, seen from {@code lag} steps later. */
        Combination base(int lag) {
            return Combination.state(lag)
                    .times(s.sigma() / t.sigma())
                    .plus(Combination.x0(lag).times(-s.alpha() * phi1));
        }

        /** The i-th divided difference, seen from {@code lag} steps later. */
        Combination difference(int i, int lag) {
            return Combination.x0(lag + i + 1).minus(Combination.x0(lag)).times(1 / r[i]);
        }

        double scale() {
            return s.alpha() * bh;
        }

        /** Solves sum_j r_j^(i) w_j = b_i for i, j below n, n at most 3. */
        double[] solve(int n) {
            double[][] m = new double[n][n + 1];
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    m[i][j] = StrictMath.pow(r[j], i);
                }
                m[i][n] = b[i];
            }
            return LinearSystem.solve(m);
        }
    }
}
