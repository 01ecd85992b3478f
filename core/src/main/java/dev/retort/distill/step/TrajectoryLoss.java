package dev.retort.distill.step;

import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Trajectory regression (Zhou et al. 2024, SFD): from the noise of a kept trajectory the student walks its own steps up to one drawn
 * for each image; from the state that it has come to itself, its next step is to land where the teacher was at that time, by the
 * mean absolute difference. Being trained on its own states it learns to mend its own errors.
 */
public final class TrajectoryLoss implements Loss {
    private final String student;
    private final CachedStates cache;
    private final TimeGrid grid;
    private final Rollout rollout;
    private final int[] teachersState;

    /**
     * @param student name of the player that walks
     * @param cache where the teacher was
     * @param plan how the student samples, in steps of first order, its calls taking its answer as x0
     * @param grid the times of that plan
     * @throws IllegalArgumentException where no state was kept at one of these times, or a step takes several calls
     */
    public TrajectoryLoss(String student, CachedStates cache, Plan plan, TimeGrid grid) {
        this.student = student;
        this.cache = cache;
        this.grid = grid;
        if (plan.steps().size() != grid.steps()) {
            throw new IllegalArgumentException(
                    "run.sampling makes " + plan.steps().size() + " calls in " + grid.steps()
                            + " steps; choose a solver of one call a step, such as flow-euler or ddim");
        }
        rollout = new Rollout(student, plan);
        teachersState = new int[grid.steps() + 1];
        for (int k = 0; k < grid.steps(); k++) {
            teachersState[k] = cache.at(grid.from(k).time());
        }
        teachersState[grid.steps()] = cache.last();
        if (teachersState[0] != 0) {
            throw new IllegalArgumentException("the trajectories begin at time " + cache.time(0)
                    + ", the student's first step at " + grid.from(0).time() + "; record them from the same start");
        }
    }

    @Override
    public String name() {
        return "trajectory";
    }

    @Override
    public boolean asksAboutImages() {
        return false;
    }

    @Override
    public Tensor perSample(Pass pass) {
        CachedStates.Drawn drawn = cache.draw(pass);
        int[] step = pass.draws(name()).index(grid.steps());
        Tensor state = rollout.state(pass, drawn.states(i -> 0), step, drawn.condition(), k -> {
            throw new IllegalStateException("a student that follows trajectories draws no noise");
        });
        double[] times =
                Arrays.stream(step).mapToDouble(at -> grid.from(at).time()).toArray();
        Tensor x0 = pass.ask(student, new Question(state, times, drawn.condition(), Gradient.PARAMETERS))
                .as(Prediction.X0);
        Tensor landed = Walk.step(
                state,
                x0,
                Arrays.stream(step).mapToObj(grid::from).toList(),
                Arrays.stream(step).mapToObj(grid::to).toList());
        Tensor wanted = drawn.states(i -> teachersState[step[i] + 1]);
        return Ops.meanPerSample(landed.sub(wanted).abs());
    }
}
