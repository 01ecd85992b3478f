package dev.retort.distill.step;

import dev.retort.card.Part;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.diffusion.step.FirstOrderStep;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.sample.PlanExecutor;
import dev.retort.torch.Tensors;
import dev.retort.train.Player;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;

/** The way of a player along plans, one for each image, whose calls take its answer as x0, without gradient; and a single step. */
final class Walk {
    private Walk() {}

    /** The states at the end (N, C, H, W) of plans that draw nothing. */
    static Tensor end(Player player, List<Plan> plans, Tensor start, Condition condition) {
        return end(player, plans, start, condition, step -> {
            throw new IllegalStateException("a step of " + plans.get(0).solver() + " asks for noise");
        });
    }

    /**
     * The same with noise for the steps that ask for it.
     *
     * @param noise unit noise of the states' shape, by step
     */
    static Tensor end(Player player, List<Plan> plans, Tensor start, Condition condition, IntFunction<Tensor> noise) {
        return PlanExecutor.run(
                plans,
                start,
                (step, x) -> player.ask(
                                new Question(x, times(plans, step, x), told(condition, plans, step, x), Gradient.NONE),
                                Set.of())
                        .as(Prediction.X0),
                noise,
                (step, x0, next) -> {});
    }

    /**
     * A step of DDIM for each image.
     *
     * @param x0 what is predicted at {@code from}
     */
    static Tensor step(Tensor state, Tensor x0, List<TimeGrid.Point> from, List<TimeGrid.Point> to) {
        double[] ofState = new double[from.size()];
        double[] ofX0 = new double[from.size()];
        for (int i = 0; i < ofState.length; i++) {
            FirstOrderStep step = FirstOrderStep.between(from.get(i), to.get(i));
            ofState[i] = step.fromState();
            ofX0[i] = step.fromX0();
        }
        return state.mul(Tensors.column(ofState, state)).add(x0.mul(Tensors.column(ofX0, state)));
    }

    /** What a flow map is told: where the step ends as well. */
    private static Condition told(Condition condition, List<Plan> plans, int step, Tensor x) {
        return plans.get(0).tellsEndTimes()
                ? condition.with(
                        Part.END_TIME,
                        each(plans, x, plan -> plan.steps().get(step).call().until()))
                : condition;
    }

    private static double[] times(List<Plan> plans, int step, Tensor x) {
        return each(plans, x, plan -> plan.steps().get(step).call().time());
    }

    private static double[] each(List<Plan> plans, Tensor x, ToDoubleFunction<Plan> number) {
        double[] numbers = new double[(int) x.size(0)];
        Arrays.setAll(numbers, i -> number.applyAsDouble(plans.get(plans.size() == 1 ? 0 : i)));
        return numbers;
    }
}
