package dev.retort.layout;

import dev.retort.card.ClampSpec;
import dev.retort.card.FlowGrid;
import dev.retort.card.GridSpec;
import dev.retort.card.GridSpec.End;
import dev.retort.card.GridSpec.Range;
import dev.retort.card.LevelGrid;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TableGrid;
import dev.retort.diffusion.TimeGrid;
import dev.retort.layout.SchedulerClass.Knows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * How the scheduler of a diffusers pipeline draws: at the times at which its class calls the network, with the solver of ours
 * that does as the class does. Where there is none, or a field has no counterpart, {@link #notes()} say so.
 */
final class SchedulerDrawing {
    private static final int USUAL_STEPS = 50;
    private static final int FEW_STEPS = 4;

    /** What is followed whatever its value. */
    private static final Set<String> FOLLOWED = Set.of(
            "timestep_spacing",
            "steps_offset",
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "shift",
            "flow_shift",
            "final_sigmas_type",
            "set_alpha_to_one",
            "original_inference_steps",
            "thresholding",
            "dynamic_thresholding_ratio",
            "sample_max_value");

    /** What is followed at some values only: those that mean what we do. */
    private static final Map<String, Set<String>> OURS = new LinkedHashMap<>();

    static {
        OURS.put("use_beta_sigmas", Set.of("false"));
        OURS.put("use_lu_lambdas", Set.of("false"));
        OURS.put("use_dynamic_shifting", Set.of("false"));
        OURS.put("shift_terminal", Set.of());
        OURS.put("lambda_min_clipped", Set.of("-Infinity", "-inf"));
        OURS.put("interpolation_type", Set.of("linear"));
        OURS.put("predict_x0", Set.of("true"));
        OURS.put("disable_corrector", Set.of("[]"));
    }

    /** The fields that decide it. */
    static final Set<String> FIELDS = fields();

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
     * @param clips whether it cuts the predicted sample
     */
    SchedulerDrawing(LibraryConfig config, SchedulerClass kind, boolean flow, boolean zeroTerminalSnr, boolean clips) {
        this.config = config;
        this.kind = kind;
        this.flow = flow;
        this.zeroTerminalSnr = zeroTerminalSnr;
        this.sampling = read(clips);
    }

    /** How samples are drawn by default. */
    SamplingSpec sampling() {
        return sampling;
    }

    /** In what we draw otherwise than the library, a sentence each. */
    List<String> notes() {
        return notes;
    }

    private static Set<String> fields() {
        Set<String> fields = new TreeSet<>(FOLLOWED);
        fields.addAll(OURS.keySet());
        fields.addAll(SchedulerSolver.FIELDS);
        fields.addAll(List.of("sigma_min", "sigma_max"));
        return fields;
    }

    private SamplingSpec read(boolean clips) {
        List<String> otherwise = new ArrayList<>();
        OURS.forEach((field, ours) -> {
            if (config.has(field) && !ours.contains(config.shown(field))) {
                otherwise.add(field + " " + config.shown(field));
            }
        });
        ClampSpec clamp = clamp();
        GridSpec grid = flow ? flowGrid() : kind.knows(Knows.FEW_STEPS) ? consistency() : tableGrid(otherwise);
        boolean bounded = clips || clamp instanceof ClampSpec.Dynamic;
        SolverSpec solver = new SchedulerSolver(config, kind, spacing(), end(), bounded).solver(standIn(), otherwise);
        if (!otherwise.isEmpty()) {
            notes.add("not followed of the scheduler: " + String.join(", ", otherwise));
        }
        boolean few = kind.knows(Knows.FEW_STEPS);
        return new SamplingSpec(solver, few ? FEW_STEPS : USUAL_STEPS, grid, few ? 1 : 4, 0, 1, 0, 0, clamp, 1);
    }

    /** The solver that stands in for the class's own, which is said; empty where ours does the same. */
    private String standIn() {
        String solver = kind.knows(Knows.NO_SOLVER_OF_OURS) ? kind.solver() : "";
        if (flow && kind.betas() != SchedulerClass.Betas.NONE) {
            solver = "flow-euler";
        } else if (insteadOfEuler()) {
            solver = "ddim"; // the Euler family cannot start at pure noise
        }
        if (!solver.isEmpty()) {
            notes.add(kind.className() + " is not built here; draws with " + solver);
        }
        return solver;
    }

    private boolean insteadOfEuler() {
        return zeroTerminalSnr && (kind == SchedulerClass.EULER || kind == SchedulerClass.EULER_ANCESTRAL);
    }

    private String spacing() {
        String spacing = config.text("timestep_spacing", kind.spacing());
        if (!List.of("leading", "trailing", "linspace").contains(spacing)) {
            throw config.refused("timestep_spacing", "leading, trailing or linspace");
        }
        return spacing;
    }

    private End end() {
        boolean clean =
                switch (kind) {
                    case DDIM, DDIM_PARALLEL -> config.flag("set_alpha_to_one", true);
                    case PNDM -> config.flag("set_alpha_to_one", false);
                    case TCD -> false;
                    default ->
                        !kind.knows(Knows.FINAL_SIGMA)
                                || config.text("final_sigmas_type", "zero").equals("zero");
                };
        return clean ? End.CLEAN : End.LOWEST;
    }

    private GridSpec tableGrid(List<String> otherwise) {
        int offset = offset();
        boolean multistep = kind.knows(Knows.MULTISTEP);
        String spacing = spacing();
        boolean karras = kind.knows(Knows.SIGMAS) && config.flag("use_karras_sigmas", false);
        boolean exponential = kind.knows(Knows.SIGMAS) && config.flag("use_exponential_sigmas", false);
        if (karras || exponential) {
            Range range = multistep || spacing.equals("linspace")
                    ? Range.SCHEDULE
                    : spacing.equals("leading") ? Range.LEADING : Range.TRAILING;
            int from = range == Range.LEADING ? offset : 0;
            double min = ratio("sigma_min");
            double max = ratio("sigma_max");
            return karras
                    ? new LevelGrid.Karras(7, min, max, range, from, multistep, end())
                    : new LevelGrid.Exponential(min, max, range, from, multistep, end());
        }
        for (String field : List.of("sigma_min", "sigma_max")) {
            if (config.has(field)) {
                otherwise.add(field + " " + config.shown(field));
            }
        }
        return switch (spacing) {
            case "leading" -> new TableGrid.Leading(offset, multistep, end());
            case "trailing" -> new TableGrid.Trailing(end());
            default -> new TableGrid.Linspace(kind.knows(Knows.FRACTIONAL) && !insteadOfEuler(), multistep, end());
        };
    }

    private int offset() {
        int offset = config.whole("steps_offset", 0);
        if (offset < 0) {
            throw config.refused("steps_offset", "at least 0");
        }
        return offset;
    }

    private double ratio(String field) {
        double ratio = config.number(field, 0);
        if (!(ratio >= 0) || Double.isInfinite(ratio)) {
            throw config.refused(field, "a positive number");
        }
        return ratio;
    }

    private GridSpec consistency() {
        int original = config.whole("original_inference_steps", 50);
        if (original < 1) {
            throw config.refused("original_inference_steps", "at least 1");
        }
        return new TableGrid.Consistency(original, end());
    }

    /** The library shifts its lower end twice: where a scheduler is made, and again with all other times. */
    private GridSpec flowGrid() {
        String field = kind.betas() == SchedulerClass.Betas.NONE ? "shift" : "flow_shift";
        double shift = config.number(field, 1);
        if (!(shift > 0) || Double.isInfinite(shift)) {
            throw config.refused(field, "a positive number");
        }
        boolean own = kind == SchedulerClass.FLOW_EULER || kind == SchedulerClass.FLOW_HEUN;
        double lowest = 1.0 / config.whole("num_train_timesteps", 1000);
        return new FlowGrid.Flow(shift, own && lowest < 1 ? TimeGrid.shifted(lowest, shift) : 0);
    }

    private ClampSpec clamp() {
        if (!kind.knows(Knows.THRESHOLDS) || !config.flag("thresholding", false)) {
            return new ClampSpec.Default();
        }
        double quantile = config.number("dynamic_thresholding_ratio", 0.995);
        double max = config.number("sample_max_value", 1);
        if (!(quantile >= 0 && quantile <= 1)) {
            throw config.refused("dynamic_thresholding_ratio", "between 0 and 1");
        }
        if (!(max >= 1) || Double.isInfinite(max)) {
            throw config.refused("sample_max_value", "at least 1");
        }
        return new ClampSpec.Dynamic(quantile, max);
    }
}
