package dev.retort.distill.step;

import dev.retort.diffusion.Plan;
import dev.retort.model.Condition;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.train.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * The states that a player comes to by its own sampler, without gradient.
 *
 * @param player its name
 * @param plan how it samples, its calls taking its answer as x0
 */
record Rollout(String player, Plan plan) {
    /**
     * The state of each image before the call of a step of its own.
     *
     * @param start the first states (N, C, H, W)
     * @param steps which step, for each image
     * @param noise unit noise of the states' shape, for steps that ask for it
     */
    Tensor state(Pass pass, Tensor start, int[] steps, Condition condition, IntFunction<Tensor> noise) {
        int calls = plan.steps().size();
        if (calls == 1) {
            return start;
        }
        List<Tensor> states = new ArrayList<>();
        Scope.Home home = Scope.here();
        Plan before = plan.first(calls - 1).fromState();
        Walk.end(
                pass.player(player),
                List.of(before),
                start,
                condition,
                noise,
                (step, x0, next) -> states.add(home.make(next::clone)));
        Tensor chosen = start;
        for (int k = 1; k < calls; k++) {
            int here = k;
            double[] is = Arrays.stream(steps)
                    .mapToDouble(step -> step == here ? 1 : 0)
                    .toArray();
            chosen = Ops.where(Ops.greater(Tensors.column(is, start), 0), states.get(k - 1), chosen);
        }
        return chosen;
    }
}
