package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Where several steps of a teacher lead while a student is to take one: at a random step of the student's grid the teacher walks from the
 * noisy image to the step's end. The times are those at which the sampler will call the student, so the grid must be the sampler's.
 */
public final class TeacherSteps {
    private static final String STREAM = "progressive";

    private final String teacher;
    private final NoiseSchedule schedule;
    private final TimeGrid grid;
    private final String what;
    private final List<Plan> plans;

    /**
     * @param teacher name of the player that walks
     * @param schedule how images are noised
     * @param grid the student's steps, from noise to data
     * @param solver how the teacher steps
     * @param ratio steps of the teacher for one of the student, at even distance in time
     */
    public TeacherSteps(String teacher, NoiseSchedule schedule, TimeGrid grid, Solver solver, int ratio) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.grid = grid;
        what = ratio + " steps of " + teacher + " by " + solver + " for one of " + grid.points();
        Process process = new Process(schedule, Prediction.X0);
        plans = IntStream.range(0, grid.steps())
                .mapToObj(step -> solver.plan(process, between(schedule, grid, step, ratio))
                        .fromState())
                .toList();
    }

    /** How images are noised. */
    NoiseSchedule schedule() {
        return schedule;
    }

    /** The student's steps. */
    TimeGrid grid() {
        return grid;
    }

    /**
     * Some images, each at a step.
     *
     * @param steps which one
     * @param noisy where it begins
     * @param landed where the teacher is at its end (N, C, H, W)
     */
    record Target(int[] steps, NoisyBatch noisy, Tensor landed) {}

    /** Where the teacher steps for one step of the student. */
    private static TimeGrid between(NoiseSchedule schedule, TimeGrid grid, int step, int ratio) {
        double from = grid.from(step).time();
        double to = grid.to(step).time();
        List<TimeGrid.Point> points = new ArrayList<>();
        for (int k = 0; k < ratio; k++) {
            points.add(schedule.point(from + (to - from) * k / ratio));
        }
        points.add(grid.to(step));
        return new TimeGrid("part of " + grid.name(), points);
    }

    /** All times of a teacher's steps, from noise to where the last one lands; see the constructor. */
    public static double[] times(NoiseSchedule schedule, TimeGrid grid, int ratio) {
        return IntStream.range(0, grid.steps())
                .mapToObj(step -> between(schedule, grid, step, ratio))
                .flatMap(part -> part.points().stream())
                .mapToDouble(TimeGrid.Point::time)
                .distinct() // a step begins where the last one ends
                .toArray();
    }

    /** Takes a step with each image of a pass, once for all losses of it that ask for the same ones. */
    Target take(Pass pass) {
        return pass.once(what, () -> walk(pass));
    }

    private Target walk(Pass pass) {
        int[] steps = pass.draws(STREAM).index(grid.steps());
        NoisyBatch noisy = pass.noisy(
                Arrays.stream(steps).mapToDouble(k -> grid.from(k).time()).toArray());
        List<Plan> each = IntStream.of(steps).mapToObj(plans::get).toList();
        return new Target(steps, noisy, Walk.end(pass.player(teacher), each, noisy.noisy(), noisy.condition()));
    }
}
