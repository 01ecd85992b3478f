package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import dev.retort.diffusion.Guidance;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/**
 * How to sample a model.
 *
 * @param solver the solver with its options
 * @param steps points of the time grid
 * @param grid which noise levels they are
 * @param guidanceScale strength in the standard form u + g(c - u); 1 for none
 * @param guidanceFrom cleanest time at which guidance acts, as a share of the schedule's noisiest time
 * @param guidanceTo noisiest time at which it acts, likewise
 * @param guidanceChannels leading channels that are guided; 0 for all
 * @param guidanceRescale how far the contrast that guidance adds is taken back, 0 to 1 ({@link Guidance#rescale})
 * @param clamp how the predicted clean sample is kept in range
 * @param temperature factor on the noise that a solver adds in its steps, 0 for none of it; the noise that it starts from stays as
 *     it is, and so does the network's output, which is a score and no distribution
 */
public record SamplingSpec(
        SolverSpec solver,
        int steps,
        GridSpec grid,
        double guidanceScale,
        double guidanceFrom,
        double guidanceTo,
        int guidanceChannels,
        double guidanceRescale,
        ClampSpec clamp,
        double temperature) {
    private static final int MOST_STEPS = 10_000; // a plan holds each of them
    private static final double MOST_TEMPERATURE = 10; // nothing but noise comes out long before
    static final double MOST_GUIDANCE = 1000; // pictures are saturated long before

    /** Validates. */
    public SamplingSpec {
        Require.that(solver != null, "solver", "null", "the name of a solver");
        Require.that(grid != null, "grid", "null", "the name of a grid");
        Require.that(clamp != null, "clamp", "null", "the name of a clamp");
        Require.between("steps", steps, 1, MOST_STEPS);
        Require.that(
                grid.steps().orElse(steps) == steps,
                "steps",
                steps,
                grid.steps().orElse(steps) + ", as many as the grid " + grid.text() + " has");
        Require.between("guidanceScale", guidanceScale, -MOST_GUIDANCE, MOST_GUIDANCE);
        Require.between("guidanceFrom", guidanceFrom, 0, 1);
        Require.between("guidanceTo", guidanceTo, guidanceFrom, 1);
        Require.atLeast("guidanceChannels", guidanceChannels, 0);
        Require.between("guidanceRescale", guidanceRescale, 0, 1);
        Require.between("temperature", temperature, 0, MOST_TEMPERATURE);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of(
                "solver",
                new SolverSpec.FlowHeun(),
                "steps",
                8,
                "guidanceScale",
                1.5,
                "guidanceFrom",
                0,
                "guidanceTo",
                1,
                "guidanceChannels",
                0,
                "guidanceRescale",
                0,
                "grid",
                new GridSpec.Default(),
                "clamp",
                new ClampSpec.Default(),
                "temperature",
                1);
    }

    /**
     * A solver on its schedule's usual grid, with guidance over all times and channels.
     *
     * @param solver its line, such as {@code ddim:eta=0.5}
     */
    public static SamplingSpec of(String solver, int steps, double guidanceScale) {
        return of(OneLine.parse(SolverSpec.class, solver), steps, new GridSpec.Default())
                .withGuidance(guidanceScale, 0, 1, 0);
    }

    /** A solver on a grid, without guidance. */
    static SamplingSpec of(SolverSpec solver, int steps, GridSpec grid) {
        return new SamplingSpec(solver, steps, grid, 1, 0, 1, 0, 0, new ClampSpec.Default(), 1);
    }

    /** The same with another solver. */
    public SamplingSpec with(SolverSpec other) {
        return with(other, steps, grid, guidanceRescale, clamp, temperature);
    }

    /** The same in another number of steps. */
    public SamplingSpec withSteps(int other) {
        return with(other, grid);
    }

    /** The same on another grid. */
    public SamplingSpec with(int otherSteps, GridSpec other) {
        return with(solver, otherSteps, other, guidanceRescale, clamp, temperature);
    }

    /** The same with another clamp. */
    public SamplingSpec with(ClampSpec other) {
        return with(solver, steps, grid, guidanceRescale, other, temperature);
    }

    /** The same guided otherwise; the parameters are the record's. */
    public SamplingSpec withGuidance(double scale, double from, double to, int channels) {
        return new SamplingSpec(solver, steps, grid, scale, from, to, channels, guidanceRescale, clamp, temperature);
    }

    /** The same with another share of guidance's contrast taken back. */
    public SamplingSpec withGuidanceRescale(double share) {
        return with(solver, steps, grid, share, clamp, temperature);
    }

    /** Once nothing was said of the contrast of guidance, and none of it was taken back. */
    public static void upgrade(ObjectNode fields) {
        if (fields.has("guidanceChannels") && !fields.has("guidanceRescale")) {
            fields.put("guidanceRescale", 0);
        }
    }

    /** The same with other noise in its steps. */
    public SamplingSpec withTemperature(double other) {
        return with(solver, steps, grid, guidanceRescale, clamp, other);
    }

    /** The same guided alike. */
    private SamplingSpec with(
            SolverSpec otherSolver,
            int otherSteps,
            GridSpec otherGrid,
            double rescale,
            ClampSpec otherClamp,
            double otherTemperature) {
        return new SamplingSpec(
                otherSolver,
                otherSteps,
                otherGrid,
                guidanceScale,
                guidanceFrom,
                guidanceTo,
                guidanceChannels,
                rescale,
                otherClamp,
                otherTemperature);
    }

    /** The guidance, its interval in the network's own time. */
    public Guidance guidance(double noisiestTime) {
        return Guidance.standard(guidanceScale)
                .within(
                        guidanceFrom == 0 ? Double.NEGATIVE_INFINITY : guidanceFrom * noisiestTime,
                        guidanceTo * noisiestTime)
                .onChannels(guidanceChannels)
                .rescaled(guidanceRescale);
    }
}
