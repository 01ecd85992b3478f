package dev.retort.layout;

import dev.retort.card.GridSpec;
import dev.retort.card.GridSpec.End;
import dev.retort.card.GridSpec.Range;
import dev.retort.card.LevelGrid;
import dev.retort.card.MultistepSolver;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TableGrid;
import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.DpmSolver.Rule;
import dev.retort.diffusion.UniPc.Base;
import dev.retort.layout.SchedulerClass.Knows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a way of sampling a table of noise levels as the scheduler of a diffusers pipeline that does the same:
 * {@link PipelineScheduler} reads it back as what it was. Where the library has none, {@link #notes()} say what it does otherwise.
 */
final class SchedulerExport {
    private final ProcessSpec process;
    private final ScheduleSpec.Table table;
    private final SamplingSpec sampling;
    private final SchedulerClass kind;
    private final List<String> notes = new ArrayList<>();

    private SchedulerExport(ProcessSpec process, ScheduleSpec.Table table, SamplingSpec sampling) {
        this.process = process;
        this.table = table;
        this.sampling = sampling;
        this.kind = kind(sampling.solver());
    }

    /** The scheduler of a process; empty where its schedule is no table, of which the DiT pipeline knows none. */
    static Optional<SchedulerExport> of(ProcessSpec process, SamplingSpec sampling) {
        return process.schedule() instanceof ScheduleSpec.Table table
                ? Optional.of(new SchedulerExport(process, table, sampling))
                : Optional.empty();
    }

    /** The class's name. */
    String className() {
        return kind.className();
    }

    /** In what the library samples otherwise than we do, a sentence each; after {@link #write}. */
    List<String> notes() {
        return notes;
    }

    /** Puts the fields of its configuration. */
    void write(ObjectNode config) {
        noise(config);
        solver(config);
        grid(config);
        clamp(config);
        if (sampling.temperature() != 1) {
            otherwise("adds its noise at temperature 1");
        }
    }

    private static SchedulerClass kind(SolverSpec solver) {
        if (solver instanceof SolverSpec.Ddpm) {
            return SchedulerClass.DDPM;
        }
        if (solver instanceof MultistepSolver.Pndm) {
            return SchedulerClass.PNDM;
        }
        if (solver instanceof SolverSpec.Euler) {
            return SchedulerClass.EULER;
        }
        if (solver instanceof SolverSpec.EulerAncestral) {
            return SchedulerClass.EULER_ANCESTRAL;
        }
        if (solver instanceof SolverSpec.Heun) {
            return SchedulerClass.HEUN;
        }
        if (solver instanceof MultistepSolver.Dpmpp || solver instanceof MultistepSolver.Dpm) {
            return SchedulerClass.DPM_MULTISTEP;
        }
        if (solver instanceof MultistepSolver.Unipc) {
            return SchedulerClass.UNIPC;
        }
        if (solver instanceof SolverSpec.Lcm) {
            return SchedulerClass.LCM;
        }
        return solver instanceof SolverSpec.Tcd ? SchedulerClass.TCD : SchedulerClass.DDIM;
    }

    private void noise(ObjectNode config) {
        // the library reads betas for the cosine too, and leaves them unused
        ScheduleSpec.Betas betas = table instanceof ScheduleSpec.Betas given ? given : new ScheduleSpec.Linear();
        config.put("beta_end", betas.betaEnd());
        config.put(
                "beta_schedule",
                table instanceof ScheduleSpec.ScaledLinear
                        ? "scaled_linear"
                        : table instanceof ScheduleSpec.Cosine ? "squaredcos_cap_v2" : "linear");
        config.put("beta_start", betas.betaStart());
        config.put("num_train_timesteps", table.steps());
        config.put(
                "prediction_type",
                switch (process.prediction()) {
                    case X0 -> "sample";
                    case V -> "v_prediction";
                    default -> "epsilon";
                });
        config.put("rescale_betas_zero_snr", process.zeroTerminalSnr());
        if (process.zeroTerminalSnr() && !kind.knows(Knows.RESCALES)) {
            otherwise("does not rescale its noise levels to end in pure noise");
        }
    }

    private void solver(ObjectNode config) {
        SolverSpec solver = sampling.solver();
        if (solver instanceof SolverSpec.Ddpm ddpm) {
            boolean large = ddpm.variance() == SolverSpec.Ddpm.Variance.FIXED_LARGE;
            config.put("variance_type", large ? "fixed_large" : "fixed_small");
            if (ddpm.variance() == SolverSpec.Ddpm.Variance.LEARNED_RANGE) {
                otherwise("is given no learned variance by its pipeline and takes the posterior's");
            }
        } else if (solver instanceof SolverSpec.Ddim ddim) {
            requireUsual(ddim.eta() == 0);
            if (!ddim.rawEps() && !bound().equals(Clamp.NONE)) {
                otherwise("keeps the network's noise beside a sample that is cut");
            }
        } else if (solver instanceof MultistepSolver.Pndm pndm) {
            config.put("skip_prk_steps", !pndm.rungeKuttaStart());
        } else if (solver instanceof SolverSpec.Euler euler) {
            requireUsual(euler.sChurn() == 0);
        } else if (solver instanceof SolverSpec.EulerAncestral ancestral) {
            requireUsual(ancestral.eta() == 1);
        } else if (solver instanceof MultistepSolver.Dpmpp dpm) {
            config.put("algorithm_type", dpm.sde() ? "sde-dpmsolver++" : "dpmsolver++");
            config.put("solver_order", dpm.order());
            config.put("solver_type", dpm.rule() == Rule.EXACT ? "heun" : "midpoint");
            config.put("lower_order_final", dpm.lowerOrderFinal());
            config.put("euler_at_final", dpm.eulerAtFinal());
        } else if (solver instanceof MultistepSolver.Dpm dpm) {
            config.put("algorithm_type", "dpmsolver");
            config.put("solver_order", dpm.order());
            config.put("solver_type", "midpoint");
            config.put("lower_order_final", dpm.lowerOrderFinal());
            config.put("euler_at_final", dpm.eulerAtFinal());
        } else if (solver instanceof MultistepSolver.Unipc unipc) {
            config.put("solver_order", unipc.order());
            config.put("solver_type", unipc.base() == Base.BH1 ? "bh1" : "bh2");
            config.put("lower_order_final", unipc.lowerOrderFinal());
            config.put("predict_x0", true);
        } else if (solver instanceof SolverSpec.Lcm lcm) {
            config.put("timestep_scaling", lcm.timeScaling());
        } else if (solver instanceof SolverSpec.Tcd tcd) {
            requireUsual(tcd.gamma() == 0.3);
        } else if (solver instanceof SolverSpec.Foreign foreign) {
            otherwise("stands in for that of " + foreign.why());
        }
    }

    private void requireUsual(boolean usual) {
        if (!usual) {
            otherwise("takes the options of '" + sampling.solver().text() + "' from its caller, not from its file");
        }
    }

    private void grid(ObjectNode config) {
        GridSpec grid = sampling.grid();
        boolean followed = true;
        End end = End.CLEAN;
        if (kind.knows(Knows.FEW_STEPS)) {
            followed = grid instanceof TableGrid.Consistency;
            end = grid instanceof TableGrid.Consistency few ? few.end() : End.CLEAN;
            config.put("original_inference_steps", grid instanceof TableGrid.Consistency few ? few.original() : 50);
        } else if (grid instanceof TableGrid.Leading leading) {
            spaced(config, "leading", leading.offset());
            followed = leading.dropLast() == kind.knows(Knows.MULTISTEP);
            end = leading.end();
        } else if (grid instanceof TableGrid.Linspace linspace) {
            spaced(config, "linspace", 0);
            followed = linspace.dropLast() == kind.knows(Knows.MULTISTEP)
                    && linspace.fractional() == kind.knows(Knows.FRACTIONAL);
            end = linspace.end();
        } else if (grid instanceof LevelGrid.Karras karras) {
            config.put("use_karras_sigmas", true);
            followed = karras.rho() == 7 && levels(config, karras.range(), karras.offset(), karras.wholeTimes());
            bounds(config, karras.min(), karras.max());
            end = karras.end();
        } else if (grid instanceof LevelGrid.Exponential exponential) {
            config.put("use_exponential_sigmas", true);
            followed = levels(config, exponential.range(), exponential.offset(), exponential.wholeTimes());
            bounds(config, exponential.min(), exponential.max());
            end = exponential.end();
        } else {
            spaced(config, "trailing", 0);
            followed = grid instanceof TableGrid.Trailing || grid instanceof GridSpec.Default;
            end = grid instanceof TableGrid.Trailing trailing ? trailing.end() : End.CLEAN;
        }
        if (!followed) {
            otherwise("has no grid '" + grid.text() + "' and calls the network at other times");
        }
        strides(config);
        ends(config, end);
    }

    private static void spaced(ObjectNode config, String spacing, int offset) {
        config.put("timestep_spacing", spacing);
        config.put("steps_offset", offset);
    }

    private boolean levels(ObjectNode config, Range range, int offset, boolean wholeTimes) {
        boolean multistep = kind.knows(Knows.MULTISTEP);
        spaced(config, range == Range.SCHEDULE ? "linspace" : range == Range.LEADING ? "leading" : "trailing", offset);
        return kind.knows(Knows.SIGMAS) && wholeTimes == multistep && (!multistep || range == Range.SCHEDULE);
    }

    private static void bounds(ObjectNode config, double min, double max) {
        if (min > 0) {
            config.put("sigma_min", min);
        }
        if (max > 0) {
            config.put("sigma_max", max);
        }
    }

    /** The library's DDIM and PNDM go down by T/N from every time, wherever the next one is. */
    private void strides(ObjectNode config) {
        boolean strided = sampling.solver() instanceof SolverSpec.Ddim ddim && ddim.strided()
                || sampling.solver() instanceof MultistepSolver.Pndm pndm && pndm.strided();
        String spacing = config.path("timestep_spacing").asString("");
        boolean chained =
                spacing.equals("leading") || spacing.equals("trailing") && table.steps() % sampling.steps() == 0;
        if ((kind == SchedulerClass.DDIM || kind == SchedulerClass.PNDM) && !strided && !chained) {
            otherwise("goes down by T/N from every time, which in " + sampling.steps() + " steps is not the next time");
        }
    }

    private void ends(ObjectNode config, End end) {
        if (kind == SchedulerClass.DDIM || kind == SchedulerClass.PNDM) {
            config.put("set_alpha_to_one", end == End.CLEAN);
        } else if (kind.knows(Knows.FINAL_SIGMA)) {
            config.put("final_sigmas_type", end == End.CLEAN ? "zero" : "sigma_min");
        } else if (kind != SchedulerClass.LCM && (end == End.LOWEST) != (kind == SchedulerClass.TCD)) {
            otherwise(
                    end == End.CLEAN
                            ? "ends at its least noise, not at the clean sample"
                            : "ends at the clean sample, not at its least noise");
        }
    }

    private Clamp bound() {
        return sampling.clamp().over(process.process().clamp());
    }

    private void clamp(ObjectNode config) {
        Clamp clamp = bound();
        if (kind.knows(Knows.CLIPS)) {
            config.put("clip_sample", clamp instanceof Clamp.Range);
            config.put("clip_sample_range", clamp instanceof Clamp.Range range ? range.limit() : 1.0);
        }
        if (kind.knows(Knows.THRESHOLDS) && clamp instanceof Clamp.Dynamic dynamic) {
            config.put("thresholding", true);
            config.put("dynamic_thresholding_ratio", dynamic.quantile());
            config.put("sample_max_value", dynamic.max());
        }
        boolean kept = clamp instanceof Clamp.None
                || kind.knows(clamp instanceof Clamp.Range ? Knows.CLIPS : Knows.THRESHOLDS);
        if (!kept) {
            otherwise("does not keep the predicted sample in range");
        }
    }

    private void otherwise(String what) {
        notes.add("the library's " + kind.className() + " " + what);
    }
}
