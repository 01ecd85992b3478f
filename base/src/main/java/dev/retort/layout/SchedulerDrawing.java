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
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import dev.retort.layout.SchedulerClass.Knows;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * How the scheduler of a diffusers pipeline draws: at the times at which its class calls the network, with the solver of ours
 * that does as the class does. A value that the library refuses is refused. Where the class or a field has no counterpart, solver or grid is a
 * {@code Foreign} one, which nothing is drawn with, and {@link #notes()} say so.
 */
final class SchedulerDrawing {
    private static final int USUAL_STEPS = 50;
    private static final int FEW_STEPS = 4;

    /** The fields that decide it. */
    static final Set<String> FIELDS = fields();

    private final LibraryConfig config;
    private final SchedulerClass kind;
    private final boolean flow;
    private final NoiseSchedule schedule;
    private final List<String> notes = new ArrayList<>();
    private final SamplingSpec sampling;

    /**
     * Reads a configuration.
     *
     * @param flow whether it draws from a flow
     * @param schedule the noise levels of its process
     * @param clips whether it cuts the predicted sample
     */
    SchedulerDrawing(LibraryConfig config, SchedulerClass kind, boolean flow, NoiseSchedule schedule, boolean clips) {
        this.config = config;
        this.kind = kind;
        this.flow = flow;
        this.schedule = schedule;
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
        Set<String> fields = new TreeSet<>(SchedulerSolver.FIELDS);
        fields.addAll(List.of(
                "timestep_spacing",
                "steps_offset",
                "use_karras_sigmas",
                "use_exponential_sigmas",
                "use_beta_sigmas",
                "use_lu_lambdas",
                "use_dynamic_shifting",
                "sigma_min",
                "sigma_max",
                "shift",
                "flow_shift",
                "shift_terminal",
                "lambda_min_clipped",
                "interpolation_type",
                "final_sigmas_type",
                "set_alpha_to_one",
                "original_inference_steps",
                "thresholding",
                "dynamic_thresholding_ratio",
                "sample_max_value"));
        return fields;
    }

    private SamplingSpec read(boolean clips) {
        ClampSpec clamp = clamp();
        boolean bounded = clips || clamp instanceof ClampSpec.Dynamic;
        SolverSpec solver = new SchedulerSolver(config, kind, spacing(), end(), bounded).solver();
        GridSpec grid = grid();
        if (solver instanceof SolverSpec.Foreign foreign) {
            notes.add("drawn from only with a solver that is named: that of " + foreign.why() + " is not built here");
        }
        if (grid instanceof GridSpec.Foreign foreign) {
            notes.add("drawn from only on a grid that is named: that of " + foreign.why() + " is not built here");
        }
        boolean few = kind.knows(Knows.FEW_STEPS);
        return new SamplingSpec(solver, few ? FEW_STEPS : USUAL_STEPS, grid, few ? 1 : 4, 0, 1, 0, 0, clamp, 1);
    }

    /** The grid; one that is not built here where one of the options is not. */
    private GridSpec grid() {
        GridSpec ours = flow ? flowGrid() : kind.knows(Knows.FEW_STEPS) ? consistency() : tableGrid();
        List<String> missing = new ArrayList<>();
        Unmet unmet = new Unmet(config, missing);
        boolean shifts = kind == SchedulerClass.FLOW_EULER || kind == SchedulerClass.FLOW_LCM;
        if (shifts) {
            unmet.unless(!config.flag("use_karras_sigmas", false), "use_karras_sigmas", "false");
            unmet.unless(!config.flag("use_exponential_sigmas", false), "use_exponential_sigmas", "false");
            unmet.unless(!config.flag("use_dynamic_shifting", false), "use_dynamic_shifting", "false");
            unmet.unless(config.number("shift_terminal", 0) == 0, "shift_terminal", "null");
        }
        if (shifts || kind.knows(Knows.SIGMAS)) {
            unmet.unless(!config.flag("use_beta_sigmas", false), "use_beta_sigmas", "false");
        }
        if (kind == SchedulerClass.DPM_MULTISTEP) {
            unmet.unless(!config.flag("use_lu_lambdas", false), "use_lu_lambdas", "false");
        }
        if (kind == SchedulerClass.DPM_MULTISTEP || kind == SchedulerClass.DPM_SINGLESTEP) {
            unmet.unless(leavesAllLevels(), "lambda_min_clipped", "-inf");
        }
        if (kind == SchedulerClass.EULER) {
            String between = config.text("interpolation_type", "linear");
            unmet.unless(between.equals("linear"), "interpolation_type", "linear");
        }
        if (kind.knows(Knows.FLOWS)) {
            unmet.unless(!flow, "use_flow_sigmas", "false");
        }
        String near = ours.text().replaceFirst(":.*", "");
        return missing.isEmpty() ? ours : new GridSpec.Foreign(near, Unmet.of(kind, missing));
    }

    /** Whether no level of the table has less log(alpha/sigma) than the bound below which they are left out. */
    private boolean leavesAllLevels() {
        String field = "lambda_min_clipped";
        if (!config.has(field) || List.of("-inf", "-Infinity").contains(config.shown(field))) {
            return true;
        }
        double bound = config.number(field, 0);
        return schedule instanceof DiscreteSchedule table
                && Math.log(table.alpha(table.noisiestTime()) / table.sigma(table.noisiestTime())) >= bound;
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
                    default -> !kind.knows(Knows.FINAL_SIGMA) || finalSigma().equals("zero");
                };
        return clean ? End.CLEAN : End.LOWEST;
    }

    private String finalSigma() {
        String last = config.text("final_sigmas_type", "zero");
        if (!List.of("zero", "sigma_min").contains(last)) {
            throw config.refused("final_sigmas_type", "zero or sigma_min");
        }
        return last;
    }

    private GridSpec tableGrid() {
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
        return switch (spacing) {
            case "leading" -> new TableGrid.Leading(offset, multistep, end());
            case "trailing" -> new TableGrid.Trailing(end());
            default -> new TableGrid.Linspace(kind.knows(Knows.FRACTIONAL), multistep, end());
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
        boolean own = kind.betas() == SchedulerClass.Betas.NONE;
        String field = own ? "shift" : "flow_shift";
        double shift = config.number(field, 1);
        if (!(shift > 0) || Double.isInfinite(shift)) {
            throw config.refused(field, "a positive number");
        }
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
