package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import dev.retort.diffusion.Solver;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A solver with its options, as it stands in presets, cards and after {@code --solver}: {@code ddim:eta=0.5}. Each record stands
 * for the solver of its name in {@code dev.retort.diffusion}, which says what it computes.
 */
public sealed interface SolverSpec extends OneLine
        permits SolverSpec.Ddpm,
                SolverSpec.Ddim,
                SolverSpec.Euler,
                SolverSpec.EulerAncestral,
                SolverSpec.Heun,
                MultistepSolver,
                SolverSpec.Lcm,
                SolverSpec.Tcd,
                SolverSpec.FlowEuler,
                SolverSpec.FlowHeun,
                SolverSpec.FlowMap,
                SolverSpec.ParallelEuler,
                SolverSpec.Foreign {

    /** The solver. */
    Solver solver(SolverSetting setting);

    /** Intervals of the grid that it is planned on: mostly its steps. */
    default int intervals(SolverSetting setting) {
        return setting.steps();
    }

    /** Names by which everybody knows the usual settings. */
    static Map<String, String> shorthands() {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("dpmpp-2m", "dpmpp:order=2,sde=false");
        lines.put("dpmpp-3m", "dpmpp:order=3,sde=false");
        lines.put("dpmpp-2m-sde", "dpmpp:order=2,sde=true");
        return lines;
    }

    /**
     * Ancestral sampling.
     *
     * @param variance the noise of a step
     */
    record Ddpm(Variance variance) implements SolverSpec {
        /** The noise of a step. */
        public enum Variance {
            /** The network's where it learns one, else the posterior's. */
            AUTO,
            /** The posterior's. */
            FIXED_SMALL,
            /** The forward step's. */
            FIXED_LARGE,
            /** The network's. */
            LEARNED_RANGE
        }

        /** With the variance that the network has. */
        public Ddpm() {
            this(Variance.AUTO);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            if (variance == Variance.LEARNED_RANGE && !setting.learnedVariance()) {
                throw new IllegalArgumentException(
                        "ddpm:variance is learned-range, but the network learns no variance; use fixed-small or fixed-large");
            }
            return new dev.retort.diffusion.Ddpm(
                    switch (variance) {
                        case AUTO ->
                            setting.learnedVariance()
                                    ? dev.retort.diffusion.Ddpm.Variance.LEARNED_RANGE
                                    : dev.retort.diffusion.Ddpm.Variance.FIXED_SMALL;
                        case FIXED_SMALL -> dev.retort.diffusion.Ddpm.Variance.FIXED_SMALL;
                        case FIXED_LARGE -> dev.retort.diffusion.Ddpm.Variance.FIXED_LARGE;
                        case LEARNED_RANGE -> dev.retort.diffusion.Ddpm.Variance.LEARNED_RANGE;
                    });
        }
    }

    /**
     * DDIM.
     *
     * @param eta share of ancestral noise, 0 for none
     * @param rawEps with a clamp: keep the network's noise instead of the one that fits the clamped sample
     * @param strided every step goes down by T/N in the table even where that is not the grid's next point, as some programs do
     */
    record Ddim(double eta, boolean rawEps, boolean strided) implements SolverSpec {
        /** Validates. */
        public Ddim {
            Require.atLeast("eta", eta, 0);
        }

        /** Without noise, chained. */
        public Ddim() {
            this(0, false, false);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.Ddim(eta, rawEps, setting.stride("ddim", strided));
        }
    }

    /**
     * Euler's rule, with noise on the way if asked for (Karras et al. 2022).
     *
     * @param sChurn amount of noise over all steps; 0 for none
     * @param sTmin smallest sigma at which it is added
     * @param sTmax largest sigma at which it is added; 0 for no bound
     * @param sNoise its standard deviation
     */
    record Euler(double sChurn, double sTmin, double sTmax, double sNoise) implements SolverSpec {
        /** Validates. */
        public Euler {
            Require.atLeast("sChurn", sChurn, 0);
            Require.atLeast("sTmin", sTmin, 0);
            Require.atLeast("sTmax", sTmax, 0);
            Require.atLeast("sNoise", sNoise, 0);
        }

        /** Without noise. */
        public Euler() {
            this(0, 0, 0, 1);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return sChurn == 0
                    ? new dev.retort.diffusion.Euler()
                    : new dev.retort.diffusion.Euler(new dev.retort.diffusion.Euler.Churn(
                            sChurn, sTmin, sTmax == 0 ? Double.POSITIVE_INFINITY : sTmax, sNoise));
        }
    }

    /**
     * Euler with the noise of ancestral sampling.
     *
     * @param eta share of that noise, 0 to 1
     */
    record EulerAncestral(double eta) implements SolverSpec {
        /** Validates. */
        public EulerAncestral {
            Require.between("eta", eta, 0, 1);
        }

        /** The full noise. */
        public EulerAncestral() {
            this(1);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.EulerAncestral(eta);
        }
    }

    /** Heun's rule. */
    record Heun() implements SolverSpec {
        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.Heun();
        }
    }

    /**
     * Multistep sampling of a consistency model.
     *
     * @param timeScaling sharpness of its boundary condition
     */
    record Lcm(double timeScaling) implements SolverSpec {
        /** Validates. */
        public Lcm {
            Require.positive("timeScaling", timeScaling);
        }

        /** The scaling of published models. */
        public Lcm() {
            this(10);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.Lcm(timeScaling);
        }
    }

    /**
     * Strategic stochastic sampling of trajectory consistency distillation.
     *
     * @param gamma 0 without noise, 1 as {@link Lcm}
     */
    record Tcd(double gamma) implements SolverSpec {
        /** Validates. */
        public Tcd {
            Require.between("gamma", gamma, 0, 1);
        }

        /** The usual 0.3. */
        public Tcd() {
            this(0.3);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.Tcd(gamma);
        }
    }

    /**
     * Euler along the straight path of a flow.
     *
     * @param stochastic new noise in every step
     */
    record FlowEuler(boolean stochastic) implements SolverSpec {
        /** Without noise. */
        public FlowEuler() {
            this(false);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.FlowEuler(stochastic);
        }
    }

    /** Heun along the straight path of a flow. */
    record FlowHeun() implements SolverSpec {
        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.FlowHeun();
        }
    }

    /**
     * The steps of a flow map, a network that is told where each of them ends.
     *
     * @param stochastic go to the clean sample in every step and draw new noise
     */
    record FlowMap(boolean stochastic) implements SolverSpec {
        /** Without noise. */
        public FlowMap() {
            this(false);
        }

        @Override
        public Solver solver(SolverSetting setting) {
            return new dev.retort.diffusion.FlowMap(stochastic);
        }
    }

    /** Steps over several heads at once, of a network with a head for each interval of the grid. */
    record ParallelEuler() implements SolverSpec {
        @Override
        public int intervals(SolverSetting setting) {
            return setting.outputs();
        }

        @Override
        public Solver solver(SolverSetting setting) {
            int heads = setting.outputs();
            if (heads % setting.steps() != 0) {
                throw new IllegalArgumentException("steps is " + setting.steps()
                        + ", but parallel-euler takes equally many of a network's outputs in each, and of this one's "
                        + heads + " it can in " + divisors(heads) + (heads == 1 ? "; take flow-euler" : ""));
            }
            return new dev.retort.diffusion.ParallelEuler(heads / setting.steps());
        }

        private static String divisors(int heads) {
            return IntStream.rangeClosed(1, heads)
                    .filter(count -> heads % count == 0)
                    .mapToObj(String::valueOf)
                    .collect(Collectors.joining(", "));
        }
    }

    /**
     * A solver of another program that is not built here. The model that it belongs to can be used for all but drawing with it.
     *
     * @param near the solver of ours that comes nearest
     * @param why whose it is, and which of its options ours lacks
     */
    record Foreign(String near, String why) implements SolverSpec {
        @Override
        public Solver solver(SolverSetting setting) {
            throw new RetortException(
                            Kind.CHECKPOINT,
                            "sampling cannot be planned: the model's own solver is that of " + why
                                    + ", which is not built here; name another, of which " + near + " comes nearest")
                    .about("solver");
        }
    }
}
