package dev.retort.distill.step;

import dev.retort.diffusion.Plan;
import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Pass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The states that a player comes to by its own sampler, without gradient.
 *
 * @param player its name
 * @param plan how it samples, its calls taking its answer as x0
 */
record Rollout(String player, Plan plan) {
    /**
     * The state of each image before the call of a step of its own; none walks further than that.
     *
     * @param start the first states (N, C, H, W)
     * @param steps which step, for each image
     * @param noise unit noise of the states' shape, for steps that ask for it
     */
    Tensor state(Pass pass, Tensor start, int[] steps, Condition condition, IntFunction<Tensor> noise) {
        Device device = Device.of(start);
        List<Tensor> ends = new ArrayList<>();
        long[] placeOf = new long[steps.length];
        int placed = 0;
        for (int k = 0; k < plan.steps().size(); k++) {
            int here = k;
            int[] whose = IntStream.range(0, steps.length)
                    .filter(i -> steps[i] == here)
                    .toArray();
            for (int i : whose) {
                placeOf[i] = placed++;
            }
            if (whose.length > 0) {
                Tensor index = Tensors.of(Arrays.stream(whose).asLongStream().toArray(), device);
                Tensor first = Ops.indexSelect(start, 0, index);
                ends.add(k == 0 ? first : end(pass, k, first, condition.select(index), noise, index));
            }
        }
        return Ops.indexSelect(Ops.cat(0, ends.toArray(Tensor[]::new)), 0, Tensors.of(placeOf, device));
    }

    /** Some images after so many steps, each of which takes its own of the noise. */
    private Tensor end(
            Pass pass, int steps, Tensor first, Condition condition, IntFunction<Tensor> noise, Tensor index) {
        return Walk.end(
                pass.player(player),
                List.of(plan.first(steps).fromState()),
                first,
                condition,
                step -> Ops.indexSelect(noise.apply(step), 0, index));
    }
}
