package dev.retort.layout;

import dev.retort.card.GridSpec.End;
import dev.retort.card.MultistepSolver;
import dev.retort.card.SolverSpec;
import dev.retort.config.OneLine;
import dev.retort.diffusion.DpmSolver.Rule;
import dev.retort.diffusion.UniPc.Base;
import java.util.List;
import java.util.Set;

/**
 * The solver of ours that does as the scheduler of a diffusers pipeline, with the options that its configuration sets.
 *
 * @param spacing how its times are spaced
 * @param end where its last step lands
 * @param bounded whether it keeps the predicted sample in range
 */
record SchedulerSolver(LibraryConfig config, SchedulerClass kind, String spacing, End end, boolean bounded) {
    /** The fields that decide it. */
    static final Set<String> FIELDS = Set.of(
            "variance_type",
            "skip_prk_steps",
            "algorithm_type",
            "solver_order",
            "solver_type",
            "lower_order_final",
            "euler_at_final",
            "timestep_scaling",
            "stochastic_sampling");

    /**
     * The solver.
     *
     * @param standIn line of one that stands in; empty for the class's own
     * @param otherwise takes the fields that are not followed, with their values
     */
    SolverSpec solver(String standIn, List<String> otherwise) {
        if (!standIn.isEmpty()) {
            return OneLine.parse(SolverSpec.class, standIn);
        }
        boolean strided = !spacing.equals("leading"); // where it makes no difference
        return switch (kind) {
            case DDIM, DDIM_PARALLEL -> new SolverSpec.Ddim(0, bounded, strided);
            case DDPM, DDPM_PARALLEL -> ddpm(otherwise);
            case PNDM -> new MultistepSolver.Pndm(!config.flag("skip_prk_steps", false), strided);
            case DPM_MULTISTEP -> dpm(otherwise);
            case UNIPC -> unipc(otherwise);
            case LCM -> new SolverSpec.Lcm(scaling());
            case FLOW_EULER -> new SolverSpec.FlowEuler(config.flag("stochastic_sampling", false));
            default -> OneLine.parse(SolverSpec.class, kind.solver());
        };
    }

    private SolverSpec ddpm(List<String> otherwise) {
        String type = config.text("variance_type", "fixed_small");
        return new SolverSpec.Ddpm(
                switch (type) {
                    case "fixed_small", "fixed_small_log" -> SolverSpec.Ddpm.Variance.FIXED_SMALL;
                    case "fixed_large" -> SolverSpec.Ddpm.Variance.FIXED_LARGE;
                    case "learned_range" -> SolverSpec.Ddpm.Variance.AUTO;
                    default -> {
                        otherwise.add("variance_type " + type);
                        yield SolverSpec.Ddpm.Variance.AUTO;
                    }
                });
    }

    private SolverSpec dpm(List<String> otherwise) {
        String algorithm = config.text("algorithm_type", "dpmsolver++");
        boolean noise = algorithm.equals("dpmsolver") && end == End.LOWEST;
        boolean sde = algorithm.equals("sde-dpmsolver++");
        if (!noise && !sde && !List.of("dpmsolver++", "deis").contains(algorithm)) {
            otherwise.add("algorithm_type " + algorithm);
        }
        int order = order(noise || sde ? 2 : 3, otherwise);
        boolean exact = config.text("solver_type", "midpoint").equals("heun");
        if (exact && (noise || sde)) {
            otherwise.add("solver_type heun");
        }
        boolean lower = config.flag("lower_order_final", true);
        boolean euler = config.flag("euler_at_final", false);
        return noise
                ? new MultistepSolver.Dpm(order, lower, euler)
                : new MultistepSolver.Dpmpp(order, sde, exact && !sde ? Rule.EXACT : Rule.MIDPOINT, lower, euler);
    }

    private SolverSpec unipc(List<String> otherwise) {
        boolean first = config.text("solver_type", "bh2").equals("bh1");
        if (first && end == End.CLEAN) {
            otherwise.add("solver_type bh1");
        }
        return new MultistepSolver.Unipc(
                order(3, otherwise),
                first && end == End.LOWEST ? Base.BH1 : Base.BH2,
                config.flag("lower_order_final", true));
    }

    private int order(int most, List<String> otherwise) {
        int order = config.whole("solver_order", 2);
        if (order < 1) {
            throw config.refused("solver_order", "at least 1");
        }
        if (order > most) {
            otherwise.add("solver_order " + order);
        }
        return Math.min(order, most);
    }

    private double scaling() {
        double scaling = config.number("timestep_scaling", 10);
        if (!(scaling > 0) || Double.isInfinite(scaling)) {
            throw config.refused("timestep_scaling", "a positive number");
        }
        return scaling;
    }
}
