package dev.retort.card;

import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;

/**
 * What a solver's options may depend on.
 *
 * @param schedule the schedule it will run on
 * @param steps points of its time grid
 * @param learnedVariance whether the network has channels for a variance
 * @param outputs of the network
 */
public record SolverSetting(NoiseSchedule schedule, int steps, boolean learnedVariance, int outputs) {
    /** How far down the table each step goes; 0 where it goes to the grid's next point. */
    int stride(String solver, boolean strided) {
        if (!strided) {
            return 0;
        }
        if (schedule instanceof DiscreteSchedule table) {
            return table.steps() / steps;
        }
        throw new IllegalArgumentException(
                solver + ":strided needs a table of noise levels, but the schedule is " + schedule.name());
    }
}
