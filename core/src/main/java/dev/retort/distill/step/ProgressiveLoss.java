package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
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
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Progressive distillation (Salimans and Ho 2022, algorithm 2): one step of the student is to land where several of the teacher
 * land ({@link TeacherSteps}). With x̃ the x0 by which one step of DDIM would land there too ({@link ProgressiveTarget}), the loss is
 * w·mean (x0 - x̃)².
 */
public final class ProgressiveLoss implements Loss {
    private final TeacherSteps teacher;
    private final Weighting weighting;
    private final List<ProgressiveTarget> targets;

    /** @param weighting of the error of x0 */
    public ProgressiveLoss(TeacherSteps teacher, Weighting weighting) {
        this.teacher = teacher;
        this.weighting = weighting;
        TimeGrid grid = teacher.grid();
        targets = IntStream.range(0, grid.steps())
                .mapToObj(step -> ProgressiveTarget.of(Prediction.X0, grid.from(step), grid.to(step)))
                .toList();
    }

    @Override
    public String name() {
        return "progressive";
    }

    @Override
    public Tensor perSample(Pass pass) {
        TeacherSteps.Target taken = teacher.take(pass);
        NoisyBatch noisy = taken.noisy();
        int[] steps = taken.steps();
        Tensor landed = taken.landed();
        Tensor target = column(steps, k -> targets.get(k).fromState(), landed)
                .mul(noisy.noisy())
                .add(column(steps, k -> targets.get(k).fromLanding(), landed).mul(landed));
        Tensor x0 = pass.ask(
                        pass.player(),
                        new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.PARAMETERS))
                .as(Prediction.X0);
        Tensor weights = Tensors.of(
                Arrays.stream(noisy.times())
                        .map(time -> weighting.weight(Prediction.X0, teacher.schedule(), time))
                        .toArray(),
                pass.player(pass.player()).network().device());
        return Ops.meanPerSample(x0.sub(target).square()).mul(weights);
    }

    private static Tensor column(int[] steps, IntToDoubleFunction value, Tensor like) {
        return Tensors.column(IntStream.of(steps).mapToDouble(value).toArray(), like);
    }
}
