package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.DpmSolver;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.UniPc;

/** Solvers that use earlier network calls too. */
public sealed interface MultistepSolver extends SolverSpec {

    /**
     * Pseudo numerical methods.
     *
     * @param rungeKuttaStart begin with three Runge-Kutta steps of four calls instead of calling the second time twice
     * @param strided as in {@link Ddim}
     */
    record Pndm(boolean rungeKuttaStart, boolean strided) implements MultistepSolver {
        /** The start of Stable Diffusion, chained. */
        public Pndm() {
            this(false, false);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.Pndm(rungeKuttaStart, setting.stride("pndm", strided));
        }
    }

    /**
     * DPM-Solver++, on the predicted clean sample.
     *
     * @param order 1, 2 or 3; with {@code sde} 1 or 2
     * @param sde with fresh noise in every step
     * @param rule how derivatives are weighed; {@code sde} has {@code midpoint} alone
     * @param lowerOrderFinal lower order in the last steps where there are fewer than 15
     * @param eulerAtFinal order 1 in the last step
     */
    record Dpmpp(int order, boolean sde, DpmSolver.Rule rule, boolean lowerOrderFinal, boolean eulerAtFinal)
            implements MultistepSolver {
        /** Validates. */
        public Dpmpp {
            Require.between("order", order, 1, sde ? 2 : 3);
            Require.that(!sde || rule == DpmSolver.Rule.MIDPOINT, "rule", rule, "midpoint with sde");
        }

        /** The usual settings, order 2. */
        public Dpmpp() {
            this(2, false, DpmSolver.Rule.MIDPOINT, true, false);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new DpmSolver(
                    order, sde ? DpmSolver.Form.DATA_SDE : DpmSolver.Form.DATA, rule, lowerOrderFinal, eulerAtFinal);
        }
    }

    /**
     * DPM-Solver, on the predicted noise; cannot land on the clean sample.
     *
     * @param order 1 or 2
     * @param lowerOrderFinal as in {@link Dpmpp}
     * @param eulerAtFinal as in {@link Dpmpp}
     */
    record Dpm(int order, boolean lowerOrderFinal, boolean eulerAtFinal) implements MultistepSolver {
        /** Validates. */
        public Dpm {
            Require.between("order", order, 1, 2);
        }

        /** The usual settings, order 2. */
        public Dpm() {
            this(2, true, false);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new DpmSolver(order, DpmSolver.Form.NOISE, DpmSolver.Rule.MIDPOINT, lowerOrderFinal, eulerAtFinal);
        }
    }

    /**
     * UniPC.
     *
     * @param order 1, 2 or 3
     * @param base B(h)
     * @param lowerOrderFinal lower order towards the last step
     */
    record Unipc(int order, UniPc.Base base, boolean lowerOrderFinal) implements MultistepSolver {
        /** Validates. */
        public Unipc {
            Require.between("order", order, 1, 3);
        }

        /** Order 2, BH2. */
        public Unipc() {
            this(2, UniPc.Base.BH2, true);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new UniPc(order, base, lowerOrderFinal);
        }
    }
}
