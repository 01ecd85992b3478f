package dev.retort.layout;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.diffusion.Prediction;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.layout.SchedulerClass.Knows;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the scheduler of a diffusers pipeline: the process its network was trained with, and how it is drawn from. A class
 * or a setting that changes what the network's output means and that cannot be expressed here is refused by name; solver and times
 * are for {@link SchedulerDrawing}.
 */
final class PipelineScheduler {
    private static final String ADVICE =
            "correct it, or take the scheduler's folder away to have the noise levels of the DiT paper assumed";
    private static final int MOST_STEPS = 1 << 20;

    /**
     * Fields that are read here, or that change nothing beside what is refused or followed: those of {@code SASolverScheduler} and
     * {@code DPMSolverSDEScheduler}, of dynamic shifting, and of old versions. {@link SchedulerDrawing} has the others of the library's classes.
     */
    private static final Set<String> KNOWN = Set.of(
            "num_train_timesteps",
            "beta_start",
            "beta_end",
            "beta_schedule",
            "trained_betas",
            "prediction_type",
            "predict_epsilon",
            "clip_sample",
            "clip_sample_range",
            "rescale_betas_zero_snr",
            "timestep_type",
            "use_flow_sigmas",
            "invert_sigmas",
            "predictor_order",
            "corrector_order",
            "tau_func",
            "noise_sampler_seed",
            "base_shift",
            "max_shift",
            "base_image_seq_len",
            "max_image_seq_len",
            "time_shift_type",
            "upscale_mode",
            "timestep_values",
            "tensor_format");

    /** Whose pipelines take two fields otherwise than the scheduler's file has them. */
    private static final Pattern STABLE_DIFFUSION = Pattern.compile("StableDiffusion(?!XL|3).*");

    private final LibraryConfig config;
    private final SchedulerClass kind;
    private final List<String> notes = new ArrayList<>();
    private final ProcessSpec process;
    private final SchedulerDrawing drawing;

    private PipelineScheduler(LibraryConfig read, LibraryConfig index) {
        List<String> indexed = index.texts("scheduler");
        String named =
                read.text(DiffusersFolder.CLASS, indexed.isEmpty() ? "missing" : indexed.get(indexed.size() - 1));
        this.kind = SchedulerClass.named(named)
                .orElseThrow(() -> read.refused(
                        DiffusersFolder.CLASS, named, "one of " + String.join(", ", SchedulerClass.names())));
        boolean stable =
                STABLE_DIFFUSION.matcher(index.text(DiffusersFolder.CLASS, "")).matches();
        this.config = stable && kind.betas() != SchedulerClass.Betas.NONE ? asPipeline(read) : read;
        if (!indexed.isEmpty() && !indexed.contains(named)) {
            notes.add("model_index.json names " + indexed.get(indexed.size() - 1) + ", its scheduler's own file "
                    + named + ", which is followed");
        }
        requireKnown();
        boolean flow = kind.betas() == SchedulerClass.Betas.NONE
                || kind.knows(Knows.FLOWS) && config.flag("use_flow_sigmas", false);
        this.process = flow ? flow() : table();
        this.drawing = new SchedulerDrawing(config, kind, flow, process.noiseSchedule(), process.clamp() > 0);
        notes.addAll(drawing.notes());
    }

    /**
     * The scheduler of a pipeline; empty where it has none.
     *
     * @param index the pipeline's {@code model_index.json}
     */
    static Optional<PipelineScheduler> of(Path pipeline, LibraryConfig index) {
        Path file = pipeline.resolve("scheduler").resolve("scheduler_config.json");
        boolean named = index.texts("scheduler").stream().anyMatch(name -> !name.isEmpty());
        if (named && !Files.isRegularFile(file)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file + " is missing, though model_index.json names " + String.join(" ", index.texts("scheduler"))
                            + ": without it, what the network predicts (noise, v or sample) and at which noise levels is not"
                            + " known; fetch it again");
        }
        return Files.isRegularFile(file)
                ? Optional.of(new PipelineScheduler(LibraryConfig.read(file, ADVICE), index))
                : Optional.empty();
    }

    /** How the network's data were noised and what it returns. */
    ProcessSpec process() {
        return process;
    }

    /** How samples are drawn by default. */
    SamplingSpec sampling() {
        return drawing.sampling();
    }

    /** In what we draw otherwise than the library, a sentence each. */
    List<String> notes() {
        return notes;
    }

    /** As the Stable Diffusion pipelines of the library correct old files: what they say by a warning is said in the notes. */
    private LibraryConfig asPipeline(LibraryConfig read) {
        LibraryConfig corrected = read;
        if (kind.spacing().equals("leading")
                || read.text("timestep_spacing", "").equals("leading")) {
            if (read.whole("steps_offset", 0) != 1) {
                corrected = corrected.with("steps_offset", 1);
                notes.add("steps_offset is taken as 1, as its pipeline does, instead of "
                        + read.whole("steps_offset", 0));
            }
        }
        if (kind.knows(Knows.CLIPS) && read.flag("clip_sample", kind.knows(Knows.CLIPS_UNASKED))) {
            corrected = corrected.with("clip_sample", false);
            notes.add("clip_sample is taken as false, as its pipeline does, since latents exceed that");
        }
        return corrected;
    }

    private void requireKnown() {
        for (String field : config.fields()) {
            if (!field.startsWith("_")
                    && !KNOWN.contains(field)
                    && !SchedulerDrawing.FIELDS.contains(field)
                    && !config.off(field)) {
                throw config.refused(field, "no such field, which is not known here");
            }
        }
    }

    private ProcessSpec flow() {
        if (config.flag("invert_sigmas", false)) {
            throw config.refused("invert_sigmas", "false");
        }
        Prediction prediction = kind.betas() == SchedulerClass.Betas.NONE ? Prediction.FLOW : prediction();
        return new ProcessSpec(new ScheduleSpec.Flow(steps()), prediction, 0);
    }

    private ProcessSpec table() {
        if (config.has("trained_betas")) {
            throw config.refused("trained_betas", "null: betas that no formula gives cannot be used");
        }
        if (kind == SchedulerClass.EULER) {
            config.require("timestep_type", config.text("timestep_type", "discrete"), "discrete");
        }
        String betas = config.text("beta_schedule", kind.betas().schedule());
        double start = beta("beta_start", kind.betas().start());
        double end = beta("beta_end", kind.betas().end());
        boolean rescaled = kind.knows(Knows.RESCALES) && config.flag("rescale_betas_zero_snr", false);
        ScheduleSpec schedule =
                switch (betas) {
                    case "linear" -> new ScheduleSpec.Linear(steps(), start, end, rescaled);
                    case "scaled_linear" -> new ScheduleSpec.ScaledLinear(steps(), start, end, rescaled);
                    case "squaredcos_cap_v2" -> new ScheduleSpec.Cosine(steps(), rescaled);
                    default -> throw config.refused("beta_schedule", "linear, scaled_linear or squaredcos_cap_v2");
                };
        ProcessSpec spec = new ProcessSpec(schedule, prediction(), clamp());
        try {
            spec.noiseSchedule();
        } catch (IllegalArgumentException e) {
            throw config.refused(e);
        }
        return spec;
    }

    private int steps() {
        int steps = config.whole("num_train_timesteps", 1000);
        if (steps < 1 || steps > MOST_STEPS) {
            throw config.refused("num_train_timesteps", "between 1 and " + MOST_STEPS);
        }
        return steps;
    }

    private double beta(String field, double usual) {
        double beta = config.number(field, usual);
        if (!(beta > 0 && beta < 1)) {
            throw config.refused(field, "above 0 and below 1");
        }
        return beta;
    }

    private Prediction prediction() {
        // before it had a name, the sample was asked for by this field
        boolean sample = !config.has("prediction_type") && !config.flag("predict_epsilon", true);
        String predicts = config.text("prediction_type", sample ? "sample" : "epsilon");
        return switch (predicts) {
            case "epsilon" -> Prediction.EPSILON;
            case "v_prediction" -> Prediction.V;
            case "sample" -> Prediction.X0;
            case "flow_prediction" -> {
                if (!config.flag("use_flow_sigmas", false)) {
                    throw config.refused("prediction_type", "epsilon, v_prediction or sample without use_flow_sigmas");
                }
                yield Prediction.FLOW;
            }
            default -> throw config.refused("prediction_type", "epsilon, v_prediction, sample or flow_prediction");
        };
    }

    private double clamp() {
        boolean clips = kind.knows(Knows.CLIPS) && config.flag("clip_sample", kind.knows(Knows.CLIPS_UNASKED));
        if (!clips || kind.knows(Knows.THRESHOLDS) && config.flag("thresholding", false)) {
            return 0; // the library asks for thresholds first
        }
        double range = config.number("clip_sample_range", 1);
        if (!(range > 0) || Double.isInfinite(range)) {
            throw config.refused("clip_sample_range", "a positive number");
        }
        return range;
    }
}
