package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.Weighting;
import dev.retort.diffusion.step.ProgressiveTarget;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Progressive distillation (Salimans and Ho 2022, algorithm 2): one step of the student is to land where several of the teacher
 * land. At a random step of the student's grid the teacher walks from the noisy image to the step's end; with x̃ the x0 by which one step
 * of DDIM would land there too ({@link ProgressiveTarget}), the loss is w·mean (x0 - x̃)². The times are those at which the sampler will
 * call the student, so the grid must be the sampler's.
 */
public final class ProgressiveLoss implements Loss {
    private final String teacher;
    private final NoiseSchedule schedule;
    private final TimeGrid grid;
    private final Weighting weighting;
    private final List<Plan> plans = new ArrayList<>();
    private final List<ProgressiveTarget> targets = new ArrayList<>();

    /**
     * @param teacher name of the player that walks
     * @param schedule how images are noised
     * @param grid the student's steps, from noise to data
     * @param solver how the teacher steps
     * @param ratio steps of the teacher for one of the student, at even distance in time
     * @param weighting of the error of x0
     */
    public ProgressiveLoss(
            String teacher, NoiseSchedule schedule, TimeGrid grid, Solver solver, int ratio, Weighting weighting) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.grid = grid;
        this.weighting = weighting;
        for (int step = 0; step < grid.steps(); step++) {
            Plan plan = solver.plan(new Process(schedule, Prediction.X0), between(schedule, grid, step, ratio));
            plans.add(plan.fromState());
            targets.add(ProgressiveTarget.of(Prediction.X0, grid.from(step), grid.to(step)));
        }
    }

    /**
     * Where the teacher steps for one step of the student's grid.
     *
     * @param ratio in how many steps, at even distance in time
     */
    public static TimeGrid between(NoiseSchedule schedule, TimeGrid grid, int step, int ratio) {
        double from = grid.from(step).time();
        double to = grid.to(step).time();
        List<TimeGrid.Point> points = new ArrayList<>();
        for (int k = 0; k < ratio; k++) {
            points.add(schedule.point(from + (to - from) * k / ratio));
        }
        points.add(grid.to(step));
        return new TimeGrid("part of " + grid.name(), points);
    }

    @Override
    public String name() {
        return "progressive";
    }

    @Override
    public Tensor perSample(Pass pass) {
        int[] steps = pass.draws(name()).index(grid.steps());
        NoisyBatch noisy = pass.noisy(
                Arrays.stream(steps).mapToDouble(k -> grid.from(k).time()).toArray());
        Tensor landed = Walk.end(
                pass.player(teacher),
                Arrays.stream(steps).mapToObj(plans::get).toList(),
                noisy.noisy(),
                noisy.condition());
        Tensor target = column(steps, k -> targets.get(k).fromState(), landed)
                .mul(noisy.noisy())
                .add(column(steps, k -> targets.get(k).fromLanding(), landed).mul(landed));
        Tensor x0 = pass.ask(
                        pass.player(),
                        new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.PARAMETERS))
                .as(Prediction.X0);
        Tensor weights = Tensors.of(
                Arrays.stream(noisy.times())
                        .map(time -> weighting.weight(Prediction.X0, schedule, time))
                        .toArray(),
                pass.player(pass.player()).network().device());
        return Ops.meanPerSample(x0.sub(target).square()).mul(weights);
    }

    private static Tensor column(int[] steps, IntToDoubleFunction value, Tensor like) {
        return Tensors.column(IntStream.of(steps).mapToDouble(value).toArray(), like);
    }
}
