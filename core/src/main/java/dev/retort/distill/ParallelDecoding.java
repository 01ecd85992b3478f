package dev.retort.distill;

import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.card.TrainedFor;
import dev.retort.config.Require;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.ParallelGrid;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.distill.step.ParallelDecodingLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.Loss;
import java.util.List;
import java.util.Map;

/**
 * Parallel decoding: a head of the student for each of many intervals of the grid of {@code run.sampling}; a call says all that lie before the next.
 * One student serves several numbers of steps.
 *
 * @param heads intervals
 * @param steps numbers of steps that it is trained for, each of which divides {@code heads}
 * @param midpoint ask the teacher in the middle of an interval as well, which takes two calls and leads far closer to its way
 */
public record ParallelDecoding(LossWeight weight, int heads, List<Integer> steps, boolean midpoint)
        implements StepLoss {
    private static final double SAME = 1e-9;

    /** Validates. */
    public ParallelDecoding {
        Require.between("heads", heads, 2, 1024);
        Require.notEmpty("steps", steps);
        steps = steps.stream().distinct().sorted().toList();
        for (int count : steps) {
            Require.that(
                    count >= 1 && heads % count == 0,
                    "steps",
                    steps,
                    "numbers that divide the heads, of which there are " + heads);
        }
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("heads", 64, "steps", List.of(2, 4, 8), "midpoint", true);
    }

    @Override
    public int outputs() {
        return heads;
    }

    @Override
    public int teacherCalls() {
        return midpoint ? 2 : 1;
    }

    @Override
    public TrainedFor trains(Lesson lesson) {
        return steps.stream()
                .map(count -> TrainedFor.steps(
                        count, lesson.sampling(), lesson.taught().guidance()))
                .reduce(TrainedFor::and)
                .orElseThrow();
    }

    @Override
    public void requireFit(Recipe recipe) {
        ProcessSpec process = recipe.objective().process();
        if (process.prediction() != Prediction.FLOW || !(process.noiseSchedule() instanceof FlowLinear)) {
            throw refused(" needs an objective of type flow, whose students predict velocities");
        }
        SamplingSpec sampling = recipe.run().sampling();
        if (!(sampling.solver() instanceof SolverSpec.ParallelEuler)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "run.sampling.solver is " + sampling.solver().text()
                            + ", expected parallel-euler where stages ask for " + type()
                            + ": no other solver reads several outputs");
        }
        Checks.requireSteps(recipe, type(), heads);
        steps.forEach(count -> Checks.requireSteps(recipe, type(), count));
        steps.forEach(count -> requireWithin(sampling, process.noiseSchedule(), count));
        for (StageConfig stage : recipe.stages()) {
            for (LossConfig loss : stage.losses()) {
                boolean fits = loss instanceof ParallelDecoding other ? other.heads == heads : loss instanceof Feature;
                if (!fits) {
                    throw refused(" with " + heads + " heads stands beside " + loss.type()
                            + ", which asks a student for one output or for others; use a recipe for each");
                }
            }
        }
    }

    /** A head ends where a step ends, whatever their number. */
    private void requireWithin(SamplingSpec sampling, NoiseSchedule schedule, int count) {
        TimeGrid fine = sampling.grid().on(schedule, heads);
        TimeGrid few = sampling.grid().on(schedule, count);
        for (int i = 0; i <= count; i++) {
            int at = i * (heads / count);
            if (fine.steps() != heads
                    || few.steps() != count
                    || Math.abs(few.points().get(i).time()
                                    - fine.points().get(at).time())
                            > SAME * schedule.noisiestTime()) {
                throw refused(" needs a grid whose points for " + count + " steps are among those for " + heads
                        + ", but run.sampling.grid is " + sampling.grid().text() + "; use flow, with any shift");
            }
        }
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.CONFIG, type() + why);
    }

    @Override
    public Loss build(BuildContext players) {
        ParallelGrid grid = new ParallelGrid(players.grid(heads));
        return new ParallelDecodingLoss(players.teacher(), players.schedule(), grid, steps, midpoint);
    }
}
