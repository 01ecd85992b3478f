package dev.retort.layout;

import dev.retort.card.GridSpec.End;
import dev.retort.card.MultistepSolver;
import dev.retort.card.SolverSpec;
import dev.retort.config.OneLine;
import dev.retort.diffusion.DpmSolver.Rule;
import dev.retort.diffusion.UniPc.Base;
import dev.retort.layout.SchedulerClass.Knows;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The solver of ours that does as the scheduler of a diffusers pipeline, with the options that its configuration sets. A value that the
 * library refuses is refused; one that ours lacks makes it a {@link SolverSpec.Foreign}.
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
            "stochastic_sampling",
            "predict_x0",
            "disable_corrector",
            "solver_p",
            "scale_factors");

    /** The solver; one that is not built here where the class's own or one of its options is not. */
    SolverSpec solver() {
        List<String> missing = new ArrayList<>();
        SolverSpec ours = ours(missing);
        boolean flows = kind.knows(Knows.FLOWS) && config.flag("use_flow_sigmas", false);
        Unmet unmet = new Unmet(config, missing);
        unmet.unless(!flows, "use_flow_sigmas", "false");
        unmet.unless(
                !kind.startsBelowPureNoise() || !config.flag("rescale_betas_zero_snr", false),
                "rescale_betas_zero_snr",
                "false");
        if (missing.isEmpty() && !kind.knows(Knows.NO_SOLVER_OF_OURS)) {
            return ours;
        }
        String near = flows ? "flow-euler" : kind.startsBelowPureNoise() ? "ddim" : kind.solver();
        return new SolverSpec.Foreign(near, Unmet.of(kind, missing));
    }

    private SolverSpec ours(List<String> missing) {
        boolean strided = !spacing.equals("leading"); // where it makes no difference
        Unmet unmet = new Unmet(config, missing);
        return switch (kind) {
            case DDIM, DDIM_PARALLEL -> new SolverSpec.Ddim(0, bounded, strided);
            case DDPM, DDPM_PARALLEL -> ddpm(unmet);
            case PNDM -> new MultistepSolver.Pndm(!config.flag("skip_prk_steps", false), strided);
            case DPM_MULTISTEP -> dpm(unmet);
            case UNIPC -> unipc(unmet);
            case LCM -> new SolverSpec.Lcm(scaling());
            case FLOW_EULER -> new SolverSpec.FlowEuler(config.flag("stochastic_sampling", false));
            case FLOW_LCM -> {
                unmet.unless(config.off("scale_factors"), "scale_factors", "null");
                yield new SolverSpec.Lcm();
            }
            default -> OneLine.parse(SolverSpec.class, kind.solver());
        };
    }

    private SolverSpec ddpm(Unmet unmet) {
        String type = choice(
                "variance_type",
                "fixed_small",
                List.of(
                        "fixed_small",
                        "fixed_small_log",
                        "fixed_large",
                        "fixed_large_log",
                        "learned",
                        "learned_range"));
        unmet.unless(
                !List.of("fixed_large_log", "learned").contains(type),
                "variance_type",
                "fixed_small, fixed_large or learned_range");
        return new SolverSpec.Ddpm(
                switch (type) {
                    case "fixed_small", "fixed_small_log" -> SolverSpec.Ddpm.Variance.FIXED_SMALL;
                    case "fixed_large" -> SolverSpec.Ddpm.Variance.FIXED_LARGE;
                    default -> SolverSpec.Ddpm.Variance.AUTO;
                });
    }

    private SolverSpec dpm(Unmet unmet) {
        String algorithm = choice(
                "algorithm_type",
                "dpmsolver++",
                List.of("dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis"));
        boolean noise = algorithm.equals("dpmsolver") && end == End.LOWEST;
        boolean sde = algorithm.equals("sde-dpmsolver++");
        unmet.unless(
                noise || sde || List.of("dpmsolver++", "deis").contains(algorithm), // the library takes the last for ++
                "algorithm_type",
                "dpmsolver++ or sde-dpmsolver++, with final_sigmas_type sigma_min also dpmsolver");
        int order = order(noise || sde ? 2 : 3, unmet);
        boolean exact = rule("midpoint", List.of("logrho", "bh1", "bh2")).equals("heun");
        unmet.unless(!exact || !noise && !sde, "solver_type", "midpoint with algorithm_type " + algorithm);
        boolean lower = config.flag("lower_order_final", true);
        boolean euler = config.flag("euler_at_final", false);
        return noise
                ? new MultistepSolver.Dpm(order, lower, euler)
                : new MultistepSolver.Dpmpp(order, sde, exact && !sde ? Rule.EXACT : Rule.MIDPOINT, lower, euler);
    }

    private SolverSpec unipc(Unmet unmet) {
        boolean first = rule("bh2", List.of("midpoint", "heun", "logrho")).equals("bh1");
        unmet.unless(!first || end == End.LOWEST, "solver_type", "bh2, or final_sigmas_type sigma_min");
        unmet.unless(config.flag("predict_x0", true), "predict_x0", "true");
        unmet.unless(config.off("disable_corrector"), "disable_corrector", "[]");
        unmet.unless(config.off("solver_p"), "solver_p", "null");
        return new MultistepSolver.Unipc(
                order(3, unmet),
                first && end == End.LOWEST ? Base.BH1 : Base.BH2,
                config.flag("lower_order_final", true));
    }

    /** A solver's type; those of other classes stand for the usual one, as in the library. */
    private String rule(String usual, List<String> others) {
        List<String> all = List.of("midpoint", "heun", "logrho", "bh1", "bh2");
        String type = choice("solver_type", usual, all);
        return others.contains(type) ? usual : type;
    }

    private String choice(String field, String usual, List<String> all) {
        String value = config.text(field, usual);
        if (!all.contains(value)) {
            throw config.refused(field, "one of " + String.join(", ", all));
        }
        return value;
    }

    private int order(int most, Unmet unmet) {
        int order = config.whole("solver_order", 2);
        if (order < 1) {
            throw config.refused("solver_order", "at least 1");
        }
        unmet.unless(order <= most, "solver_order", "1 to " + most);
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
