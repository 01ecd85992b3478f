package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The ways of sampling for which a distilled student was trained: of others it knows nothing.
 *
 * @param steps the numbers of steps at whose times alone it was trained, rising; empty where it was trained at all times
 * @param solver whose jumps it learned; null where it still follows the ODE of its data, as any solver may
 * @param grid on which these steps lie; null where it was trained at all times
 * @param guidance what is baked into its output; 1 for none
 * @param guidanceInput the scales of guidance that it was told and learned; empty where it is told none
 * @param classes the labels of its domain, rising, which alone it was shown; empty for all
 */
public record TrainedFor(
        List<Integer> steps,
        SolverSpec solver,
        GridSpec grid,
        double guidance,
        Optional<GuidanceRange> guidanceInput,
        List<Integer> classes) {
    /** Any way of sampling, as a network is that learned from data alone. */
    public static final TrainedFor ANY = new TrainedFor(List.of(), null, null, 1, Optional.empty(), List.of());

    private static final int MOST_NAMED = 5;

    /** Times that differ by less, as a share of the noisiest, are the same. */
    private static final double SAME = 1e-9;

    /** Validates. */
    public TrainedFor {
        Require.that(steps != null, "steps", null, "numbers of steps, or none of them");
        Require.that(
                steps.isEmpty() || solver != null && grid != null,
                "solver",
                solver,
                "that of the steps " + steps + ", and a grid");
        Require.that(guidanceInput != null, "guidanceInput", null, "scales from one to another, or none");
        Require.that(classes != null, "classes", null, "labels, or none of them");
        steps = steps.stream().distinct().sorted().toList();
        classes = classes.stream().distinct().sorted().toList();
    }

    /** The steps of a way of sampling, in this number alone. */
    public static TrainedFor steps(int steps, SamplingSpec sampling, double guidance) {
        return new TrainedFor(
                List.of(steps), sampling.solver(), sampling.grid(), guidance, Optional.empty(), List.of());
    }

    /** Jumps from any time, in as many steps as one likes, of the solver of a way of sampling. */
    public static TrainedFor jumps(SamplingSpec sampling, double guidance) {
        return new TrainedFor(List.of(), sampling.solver(), null, guidance, Optional.empty(), List.of());
    }

    /** The same with a guidance baked in; 1 leaves it as it is. */
    public TrainedFor guided(double scale) {
        return scale == 1 ? this : new TrainedFor(steps, solver, grid, scale, guidanceInput, classes);
    }

    /** The same in one of its numbers of steps alone, on its grid, or that of a way of sampling. */
    public TrainedFor inSteps(int count, SamplingSpec sampling) {
        return new TrainedFor(
                List.of(count), solver, grid == null ? sampling.grid() : grid, guidance, guidanceInput, classes);
    }

    /** The same with these scales of guidance as an input; empty for none. */
    public TrainedFor withGuidanceInput(Optional<GuidanceRange> scales) {
        return new TrainedFor(steps, solver, grid, guidance, scales, classes);
    }

    /** The same for some classes alone, or for all where there are none. */
    public TrainedFor ofClasses(List<Integer> labels) {
        return new TrainedFor(steps, solver, grid, guidance, guidanceInput, labels);
    }

    /**
     * What a network is trained for that learns both at once: steps bind more than jumps, and these more than the ODE. An ODE that is
     * guided in the one and not in the other is in between, where guidance may still be added.
     */
    public TrainedFor and(TrainedFor other) {
        TrainedFor narrower = other.rank() > rank() ? other : this;
        boolean between = narrower.rank() == 0 && guidance != other.guidance;
        return new TrainedFor(
                Stream.concat(steps.stream(), other.steps.stream()).toList(),
                narrower.solver,
                narrower.grid,
                between ? 1 : guidance == 1 ? other.guidance : guidance,
                guidanceInput.or(() -> other.guidanceInput),
                classes.isEmpty() ? other.classes : classes);
    }

    private int rank() {
        return !steps.isEmpty() ? 2 : solver != null ? 1 : 0;
    }

    /**
     * Refuses another way of sampling.
     *
     * @throws RetortException of kind USAGE, its message beginning with the name of the part that differs
     */
    public void requireFit(NoiseSchedule schedule, SamplingSpec asked) {
        require(
                allows(asked.steps()),
                "steps is " + asked.steps() + ", but the model was trained for " + stepsText() + " alone; ask for "
                        + (steps.size() == 1 ? "as many" : "one of these"));
        require(
                solver == null || solver.equals(asked.solver()) || jumpsAlike(asked.solver()),
                "solver is " + asked.solver().text() + ", but the model was trained for " + line(solver)
                        + " alone; leave it at that");
        require(
                grid == null || sameTimes(schedule, asked),
                "grid is " + asked.grid().text() + ", but the model was trained at the times of the grid " + line(grid)
                        + " alone; leave it at that");
        require(
                guidance == 1 || asked.guidanceScale() == 1,
                "guidance is " + asked.guidanceScale() + ", but a guidance of " + guidance
                        + " is baked into the model; ask for 1");
        require(
                guidanceInput
                        .map(scales -> scales.contains(asked.guidanceScale()))
                        .orElse(true),
                "guidance is " + asked.guidanceScale() + ", but the model was told scales from "
                        + guidanceInput.map(GuidanceRange::toString).orElse("") + " alone; ask for one of these");
    }

    /**
     * Refuses a class that it was not shown.
     *
     * @param labels those asked for
     * @param names what each label means
     * @throws RetortException of kind USAGE, its message beginning with {@code classes}
     */
    public void requireClasses(List<Integer> labels, List<String> names) {
        List<String> others = labels.stream()
                .filter(label -> !classes.isEmpty() && !classes.contains(label))
                .distinct()
                .map(names::get)
                .toList();
        require(
                others.isEmpty(),
                "classes " + FirstFew.of(others, MOST_NAMED) + ": the model was distilled for "
                        + FirstFew.of(classes.stream().map(names::get).toList(), MOST_NAMED)
                        + " alone; ask for these");
    }

    /**
     * A consistency model's jumps are the same however much of the noise is renewed after them: all of it (lcm), or a share (tcd). Two lcm that
     * differ do so in the form of the jump.
     */
    private boolean jumpsAlike(SolverSpec asked) {
        boolean otherForm = solver instanceof SolverSpec.Lcm && asked instanceof SolverSpec.Lcm;
        return steps.isEmpty() && jumps(solver) && jumps(asked) && !otherForm;
    }

    private static boolean jumps(SolverSpec solver) {
        return solver instanceof SolverSpec.Lcm || solver instanceof SolverSpec.Tcd;
    }

    private static void require(boolean fits, String sentence) {
        if (!fits) {
            throw new RetortException(Kind.USAGE, sentence);
        }
    }

    private static String line(OneLine choice) {
        return choice == null ? "any" : choice.text();
    }

    private boolean sameTimes(NoiseSchedule schedule, SamplingSpec asked) {
        // The outputs of a network that has several are read by the grid of the most steps, however few are asked for.
        int count = solver instanceof SolverSpec.ParallelEuler ? steps.get(steps.size() - 1) : asked.steps();
        return same(
                schedule, times(grid.on(schedule, count)), times(asked.grid().on(schedule, count)));
    }

    private static double[] times(TimeGrid grid) {
        return grid.points().stream().mapToDouble(TimeGrid.Point::time).toArray();
    }

    private static boolean same(NoiseSchedule schedule, double[] a, double[] b) {
        boolean same = a.length == b.length;
        for (int i = 0; same && i < a.length; i++) {
            same = Math.abs(a[i] - b[i]) <= SAME * schedule.noisiestTime();
        }
        return same;
    }

    /** Whether it was trained for as many steps. */
    public boolean allows(int count) {
        return steps.isEmpty() || steps.contains(count);
    }

    /** Whether it answers at all times as it was trained to. */
    public boolean atAllTimes() {
        return steps.isEmpty();
    }

    /**
     * Whether steps from each of these times to the next follow its ODE: always where it has one; of few steps without noise, where the
     * times are those of one number of them.
     *
     * @param times as the network is told them, from noise to where the last step lands
     */
    public boolean followsOde(ProcessSpec process, double... times) {
        NoiseSchedule schedule = process.noiseSchedule();
        return solver == null
                || steps.stream()
                        .map(count -> SamplingSpec.of(solver, count, grid))
                        .filter(one -> !SamplingPlan.of(process, one, false).addsNoise())
                        .anyMatch(one -> same(schedule, times(one.grid().on(schedule, one.steps())), times));
    }

    private String stepsText() {
        String counts = steps.stream().map(String::valueOf).collect(Collectors.joining(", "));
        return counts.replaceFirst(", (\\d+)$", " or $1") + (counts.equals("1") ? " step" : " steps");
    }

    /** In a few words; {@code any way of sampling} where nothing binds it. */
    public String text() {
        String way = steps.isEmpty() && solver == null
                ? "any way of sampling"
                : (steps.isEmpty() ? "any number of steps" : stepsText()) + " of " + solver.text();
        return way
                + (grid == null ? "" : " on the grid " + grid.text())
                + (guidance == 1 ? "" : ", guidance " + guidance + " baked in")
                + guidanceInput.map(scales -> ", guidance told from " + scales).orElse("");
    }
}
