package dev.retort.distill.step;

import dev.retort.model.Condition;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Some images of a batch on their way from one time to an earlier one.
 *
 * @param x the states at t (N, C, H, W)
 * @param condition what networks are told of them beside times
 * @param t where they are
 * @param s where they go
 */
record Transition(Tensor x, Condition condition, double[] t, double[] s) {
    /** Those at some places of a batch; times of all of it are given. */
    static Transition of(NoisyBatch noisy, int[] places, double[] t, double[] s) {
        Tensor which = Tensors.of(places, Device.of(noisy.noisy()));
        return new Transition(
                Ops.indexSelect(noisy.noisy(), 0, which),
                noisy.condition().select(which),
                Arrays.stream(places).mapToDouble(i -> t[i]).toArray(),
                Arrays.stream(places).mapToDouble(i -> s[i]).toArray());
    }
}
