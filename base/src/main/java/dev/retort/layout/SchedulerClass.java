package dev.retort.layout;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The diffusers library's scheduler classes that can be followed here: what a configuration means that leaves a field out,
 * which fields the class knows at all (others are ignored, as by the library), and which of our solvers draws as it does or comes nearest.
 */
enum SchedulerClass {
    DDIM("DDIMScheduler", Betas.LINEAR, "ddim", Knows.CLIPS, Knows.CLIPS_UNASKED, Knows.RESCALES, Knows.THRESHOLDS),
    DDIM_PARALLEL(
            "DDIMParallelScheduler",
            Betas.LINEAR,
            "ddim",
            Knows.CLIPS,
            Knows.CLIPS_UNASKED,
            Knows.RESCALES,
            Knows.THRESHOLDS),
    DDPM("DDPMScheduler", Betas.LINEAR, "ddpm", Knows.CLIPS, Knows.CLIPS_UNASKED, Knows.RESCALES, Knows.THRESHOLDS),
    DDPM_PARALLEL(
            "DDPMParallelScheduler",
            Betas.LINEAR,
            "ddpm",
            Knows.CLIPS,
            Knows.CLIPS_UNASKED,
            Knows.RESCALES,
            Knows.THRESHOLDS),
    PNDM("PNDMScheduler", Betas.LINEAR, "pndm"),
    LMS("LMSDiscreteScheduler", Betas.LINEAR, "dpmpp-2m", Knows.NO_SOLVER_OF_OURS, Knows.SIGMAS, Knows.FRACTIONAL),
    EULER(
            "EulerDiscreteScheduler",
            Betas.LINEAR,
            "euler",
            Knows.RESCALES,
            Knows.SIGMAS,
            Knows.FRACTIONAL,
            Knows.FINAL_SIGMA),
    EULER_ANCESTRAL(
            "EulerAncestralDiscreteScheduler", Betas.LINEAR, "euler-ancestral", Knows.RESCALES, Knows.FRACTIONAL),
    HEUN("HeunDiscreteScheduler", Betas.LINEAR_LATENT, "heun", Knows.CLIPS, Knows.SIGMAS, Knows.FRACTIONAL),
    KDPM2(
            "KDPM2DiscreteScheduler",
            Betas.LINEAR_LATENT,
            "heun",
            Knows.NO_SOLVER_OF_OURS,
            Knows.SIGMAS,
            Knows.FRACTIONAL),
    KDPM2_ANCESTRAL(
            "KDPM2AncestralDiscreteScheduler",
            Betas.LINEAR_LATENT,
            "euler-ancestral",
            Knows.NO_SOLVER_OF_OURS,
            Knows.SIGMAS,
            Knows.FRACTIONAL),
    DPM_MULTISTEP(
            "DPMSolverMultistepScheduler",
            Betas.LINEAR,
            "dpmpp-2m",
            Knows.RESCALES,
            Knows.THRESHOLDS,
            Knows.FLOWS,
            Knows.SIGMAS,
            Knows.MULTISTEP,
            Knows.FINAL_SIGMA),
    DPM_SINGLESTEP(
            "DPMSolverSinglestepScheduler",
            Betas.LINEAR,
            "dpmpp-2m",
            Knows.NO_SOLVER_OF_OURS,
            Knows.THRESHOLDS,
            Knows.FLOWS,
            Knows.SIGMAS,
            Knows.MULTISTEP,
            Knows.FINAL_SIGMA),
    DPM_SDE(
            "DPMSolverSDEScheduler",
            Betas.LINEAR_LATENT,
            "dpmpp-2m-sde",
            Knows.NO_SOLVER_OF_OURS,
            Knows.SIGMAS,
            Knows.FRACTIONAL),
    DEIS(
            "DEISMultistepScheduler",
            Betas.LINEAR,
            "dpmpp-2m",
            Knows.NO_SOLVER_OF_OURS,
            Knows.THRESHOLDS,
            Knows.FLOWS,
            Knows.SIGMAS,
            Knows.MULTISTEP),
    UNIPC(
            "UniPCMultistepScheduler",
            Betas.LINEAR,
            "unipc",
            Knows.RESCALES,
            Knows.THRESHOLDS,
            Knows.FLOWS,
            Knows.SIGMAS,
            Knows.MULTISTEP,
            Knows.FINAL_SIGMA),
    SA_SOLVER(
            "SASolverScheduler",
            Betas.LINEAR,
            "dpmpp-2m-sde",
            Knows.NO_SOLVER_OF_OURS,
            Knows.THRESHOLDS,
            Knows.FLOWS,
            Knows.SIGMAS,
            Knows.MULTISTEP),
    LCM("LCMScheduler", Betas.SCALED_LINEAR, "lcm", Knows.CLIPS, Knows.RESCALES, Knows.THRESHOLDS, Knows.FEW_STEPS),
    TCD("TCDScheduler", Betas.SCALED_LINEAR, "tcd", Knows.CLIPS, Knows.RESCALES, Knows.THRESHOLDS, Knows.FEW_STEPS),
    FLOW_EULER("FlowMatchEulerDiscreteScheduler", Betas.NONE, "flow-euler"),
    FLOW_HEUN("FlowMatchHeunDiscreteScheduler", Betas.NONE, "flow-heun"),
    FLOW_LCM("FlowMatchLCMScheduler", Betas.NONE, "lcm", Knows.FEW_STEPS);

    /** The noise levels of a configuration that names none. */
    enum Betas {
        LINEAR("linear", 1e-4, 0.02),
        LINEAR_LATENT("linear", 0.00085, 0.012),
        SCALED_LINEAR("scaled_linear", 0.00085, 0.012),
        /** A flow, which has no table. */
        NONE("", 0, 0);

        private final String schedule;
        private final double start;
        private final double end;

        Betas(String schedule, double start, double end) {
            this.schedule = schedule;
            this.start = start;
            this.end = end;
        }

        String schedule() {
            return schedule;
        }

        double start() {
            return start;
        }

        double end() {
            return end;
        }
    }

    /** What sets a class apart. */
    enum Knows {
        /** {@code clip_sample}. */
        CLIPS,
        /** The same, and it is true where it is left out. */
        CLIPS_UNASKED,
        /** {@code rescale_betas_zero_snr}. */
        RESCALES,
        /** {@code thresholding}. */
        THRESHOLDS,
        /** {@code use_flow_sigmas}, with which it draws from a flow. */
        FLOWS,
        /** {@code use_karras_sigmas} and {@code use_exponential_sigmas}. */
        SIGMAS,
        /** Times with a fraction. */
        FRACTIONAL,
        /** It lays out one step more and leaves out the last call. */
        MULTISTEP,
        /** {@code final_sigmas_type}. */
        FINAL_SIGMA,
        /** It serves models that need few steps and no guidance. */
        FEW_STEPS,
        /** Its solver is not built here. */
        NO_SOLVER_OF_OURS
    }

    private final String className;
    private final Betas betas;
    private final String solver;
    private final Set<Knows> known;

    SchedulerClass(String className, Betas betas, String solver, Knows... known) {
        this.className = className;
        this.betas = betas;
        this.solver = solver;
        this.known = Set.of(known);
    }

    /** The class of that name; empty where it is not followed here. */
    static Optional<SchedulerClass> named(String name) {
        return Arrays.stream(values())
                .filter(known -> known.className.equals(name))
                .findFirst();
    }

    /** The names of all. */
    static List<String> names() {
        return Arrays.stream(values()).map(SchedulerClass::className).toList();
    }

    String className() {
        return className;
    }

    Betas betas() {
        return betas;
    }

    /** The line of the solver of ours, or of the one that comes nearest. */
    String solver() {
        return solver;
    }

    /** How times are spaced where the configuration leaves it open. */
    String spacing() {
        return knows(Knows.FRACTIONAL) || knows(Knows.MULTISTEP) ? "linspace" : "leading";
    }

    /** Whether its noise levels must end below pure noise, where its sigma/alpha would have no bound. */
    boolean startsBelowPureNoise() {
        return this == EULER || this == EULER_ANCESTRAL;
    }

    boolean knows(Knows what) {
        return known.contains(what);
    }
}
