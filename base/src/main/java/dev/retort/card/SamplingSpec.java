package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Solvers;

/**
 * How to sample a model.
 *
 * @param solver name of the solver
 * @param steps points of the time grid
 * @param guidanceScale strength in the standard form u + g(c - u); 1 for none
 * @param guidanceFrom cleanest time at which guidance acts, as a share of the schedule's noisiest time
 * @param guidanceTo noisiest time at which it acts, likewise
 * @param guidanceChannels leading channels that are guided; 0 for all
 */
public record SamplingSpec(
        String solver, int steps, double guidanceScale, double guidanceFrom, double guidanceTo, int guidanceChannels) {
    private static final int MOST_STEPS = 10_000; // a plan holds each of them
    private static final double MOST_GUIDANCE = 1000; // pictures are saturated long before

    /** Validates. */
    public SamplingSpec {
        Require.that(solver != null, "solver", "null", "the name of a solver");
        if (Solvers.find(solver).isEmpty()) {
            Require.oneOf("solver", solver, Solvers.names());
        }
        Require.between("steps", steps, 1, MOST_STEPS);
        Require.between("guidanceScale", guidanceScale, -MOST_GUIDANCE, MOST_GUIDANCE);
        Require.between("guidanceFrom", guidanceFrom, 0, 1);
        Require.between("guidanceTo", guidanceTo, guidanceFrom, 1);
        Require.atLeast("guidanceChannels", guidanceChannels, 0);
    }

    /** A solver with guidance over all times and channels. */
    public static SamplingSpec of(String solver, int steps, double guidanceScale) {
        return new SamplingSpec(solver, steps, guidanceScale, 0, 1, 0);
    }

    /** The guidance, its interval in the network's own time. */
    public Guidance guidance(double noisiestTime) {
        return Guidance.standard(guidanceScale)
                .within(
                        guidanceFrom == 0 ? Double.NEGATIVE_INFINITY : guidanceFrom * noisiestTime,
                        guidanceTo * noisiestTime)
                .onChannels(guidanceChannels);
    }
}
