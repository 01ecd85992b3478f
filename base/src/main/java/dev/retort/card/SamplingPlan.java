package dev.retort.card;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solver;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/** Turns what is said of sampling into the plan that an executor runs. */
public final class SamplingPlan {
    private SamplingPlan() {}

    /** The plan for a model; one that tells the network where a step ends is refused where the network is not told it. */
    public static Plan of(ModelCard card, SamplingSpec sampling) {
        Plan plan = of(card.process(), sampling, card.network().learnSigma());
        if (plan.tellsEndTimes() && !card.network().scalars().hasEndTime()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "sampling cannot be planned: the solver "
                            + sampling.solver().text()
                            + " tells the network where a step ends, which "
                            + card.network().name()
                            + " is not told; use flow-euler or flow-heun, or train with the loss flow-map");
        }
        return plan;
    }

    /**
     * The plan.
     *
     * @param learnedVariance whether the network has channels for a variance
     * @throws RetortException of kind CHECKPOINT where the process cannot be sampled in that way
     */
    public static Plan of(ProcessSpec process, SamplingSpec sampling, boolean learnedVariance) {
        return of(process.process(), sampling, learnedVariance);
    }

    /** The same for a process that no specification describes. */
    public static Plan of(Process process, SamplingSpec sampling, boolean learnedVariance) {
        NoiseSchedule schedule = process.schedule();
        try {
            Solver solver = sampling.solver().solver(new SolverSetting(schedule, sampling.steps(), learnedVariance));
            Process clamped =
                    new Process(schedule, process.prediction(), sampling.clamp().over(process.clamp()));
            return tempered(solver.plan(clamped, sampling.grid().on(schedule, sampling.steps())), sampling);
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CHECKPOINT, "sampling cannot be planned: " + e.getMessage(), e);
        }
    }

    private static Plan tempered(Plan plan, SamplingSpec sampling) {
        if (sampling.temperature() != 1 && !plan.addsNoise()) {
            throw new IllegalArgumentException(
                    "temperature is " + sampling.temperature() + ", but "
                            + sampling.solver().text() + " in " + sampling.steps()
                            + " steps adds no noise that it could scale; leave it at 1, or take a solver that adds some, such as ddim:eta=1");
        }
        return plan.withNoiseTimes(sampling.temperature());
    }
}
