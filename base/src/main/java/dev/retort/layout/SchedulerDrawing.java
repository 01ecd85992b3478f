package dev.retort.layout;

import dev.retort.card.SamplingSpec;
import dev.retort.layout.SchedulerClass.Knows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How the scheduler of a diffusers pipeline draws, with the solver of ours that does as its class does. The times at which a
 * network is called are ours; where the configuration has others, {@link #notes()} say so.
 */
final class SchedulerDrawing {
    private static final int USUAL_STEPS = 50;
    private static final int FEW_STEPS = 4;

    /** What decides at which times and in which order a sample is drawn, and the value that means what we do. */
    private static final Map<String, Set<String>> OURS = new LinkedHashMap<>();

    static {
        OURS.put("timestep_spacing", Set.of("trailing"));
        for (String spacing : List.of(
                "use_karras_sigmas",
                "use_exponential_sigmas",
                "use_beta_sigmas",
                "use_lu_lambdas",
                "use_dynamic_shifting",
                "euler_at_final",
                "stochastic_sampling")) {
            OURS.put(spacing, Set.of("false"));
        }
        OURS.put("shift", Set.of("1", "1.0"));
        OURS.put("flow_shift", Set.of("1", "1.0"));
        OURS.put("shift_terminal", Set.of());
        OURS.put("sigma_min", Set.of());
        OURS.put("sigma_max", Set.of());
        OURS.put("final_sigmas_type", Set.of("zero"));
        OURS.put("interpolation_type", Set.of("linear"));
        OURS.put("algorithm_type", Set.of("dpmsolver++", "sde-dpmsolver++", "deis", "data_prediction"));
        OURS.put("solver_order", Set.of("2"));
        OURS.put("predict_x0", Set.of("true"));
        OURS.put("skip_prk_steps", Set.of("true"));
        OURS.put("set_alpha_to_one", Set.of("true"));
        OURS.put("variance_type", Set.of("fixed_small"));
    }

    /** The fields that decide it. */
    static final Set<String> FIELDS = OURS.keySet();

    private final LibraryConfig config;
    private final SchedulerClass kind;
    private final boolean flow;
    private final boolean zeroTerminalSnr;
    private final List<String> notes = new ArrayList<>();
    private final SamplingSpec sampling;

    /**
     * Reads a configuration.
     *
     * @param flow whether it draws from a flow
     * @param zeroTerminalSnr whether its noisiest level is pure noise
     */
    SchedulerDrawing(LibraryConfig config, SchedulerClass kind, boolean flow, boolean zeroTerminalSnr) {
        this.config = config;
        this.kind = kind;
        this.flow = flow;
        this.zeroTerminalSnr = zeroTerminalSnr;
        this.sampling = read();
    }

    /** How samples are drawn by default. */
    SamplingSpec sampling() {
        return sampling;
    }

    /** In what we draw otherwise than the library, a sentence each. */
    List<String> notes() {
        return notes;
    }

    private SamplingSpec read() {
        if (kind == SchedulerClass.LCM && config.number("timestep_scaling", 10) != 10) {
            throw config.refused("timestep_scaling", "10");
        }
        String solver = solver();
        List<String> otherwise = new ArrayList<>();
        OURS.forEach((field, ours) -> {
            if (config.has(field) && !ours.contains(config.shown(field))) {
                otherwise.add(field + " " + config.shown(field));
            } else if (!config.has(field) && isUnlikeOurs(field)) {
                otherwise.add(field + " (the class's usual one)");
            }
        });
        if (!otherwise.isEmpty()) {
            notes.add("draws at evenly spaced times from the noisiest on; not followed of the scheduler: "
                    + String.join(", ", otherwise));
        }
        boolean few = kind.knows(Knows.FEW_STEPS);
        return SamplingSpec.of(solver, few ? FEW_STEPS : USUAL_STEPS, few ? 1 : 4);
    }

    /** What a class does where its configuration leaves it open. */
    private boolean isUnlikeOurs(String field) {
        return field.equals("timestep_spacing") && !flow
                || kind == SchedulerClass.PNDM && (field.equals("skip_prk_steps") || field.equals("set_alpha_to_one"));
    }

    /** Ours of that name, or the nearest, which is said. */
    private String solver() {
        String solver = kind.solver();
        boolean same = !kind.knows(Knows.NO_SOLVER_OF_OURS);
        if (kind == SchedulerClass.DPM_MULTISTEP
                && config.text("algorithm_type", "").equals("sde-dpmsolver++")) {
            solver = "dpmpp-2m-sde";
        }
        if (flow && kind.betas() != SchedulerClass.Betas.NONE) {
            solver = "flow-euler";
            same = false;
        } else if (zeroTerminalSnr && List.of("euler", "euler-ancestral").contains(solver)) {
            solver = "ddim"; // the Euler family cannot start at pure noise
            same = false;
        }
        if (!same) {
            notes.add(kind.className() + " is not built here; draws with " + solver);
        }
        return solver;
    }
}
