package dev.retort.sample;

import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ProcessSpec;
import dev.retort.model.SamplingSpec;

/** The plan that a checkpoint's process and a way of sampling make together, on the time grid that suits both. */
public final class Plans {
    private Plans() {}

    /** The plan; a solver that cannot sample the process is refused as USAGE, saying why. */
    public static Plan of(ProcessSpec process, SamplingSpec sampling) {
        NoiseSchedule schedule = process.noiseSchedule();
        try {
            return Solvers.named(sampling.solver()).plan(process.process(), grid(schedule, sampling));
        } catch (IllegalArgumentException e) {
            throw new RetortException(
                    Kind.USAGE,
                    "solver " + sampling.solver() + " with " + sampling.steps() + " steps cannot sample this model: "
                            + e.getMessage(),
                    e);
        }
    }

    private static TimeGrid grid(NoiseSchedule schedule, SamplingSpec sampling) {
        int steps = sampling.steps();
        if (schedule instanceof DiscreteSchedule table) {
            // ancestral sampling on DiT's own respacing; the others from the noisiest entry, which few steps need
            return sampling.solver().equals("ddpm")
                    ? TimeGrid.respaced(table, Integer.toString(steps))
                    : TimeGrid.trailing(table, steps);
        }
        if (schedule instanceof FlowLinear flow) {
            return TimeGrid.flow(flow, steps, 1);
        }
        return schedule instanceof KarrasSchedule
                ? TimeGrid.karras(schedule, steps)
                : TimeGrid.uniform(schedule, steps);
    }
}
