package dev.retort.distill.step;

import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The images of a batch in two kinds that a loss asks about apart.
 *
 * @param first places of those of the first kind
 * @param second of all others
 */
record Partition(int[] first, int[] second) {
    static Partition of(int count, IntPredicate first) {
        return new Partition(
                IntStream.range(0, count).filter(first).toArray(),
                IntStream.range(0, count).filter(first.negate()).toArray());
    }

    /** The losses (N) of all images in their order; a kind that no image is of is not asked about. */
    Tensor losses(Function<int[], Tensor> ofFirst, Function<int[], Tensor> ofSecond) {
        List<Tensor> losses = new ArrayList<>();
        if (first.length > 0) {
            losses.add(ofFirst.apply(first));
        }
        if (second.length > 0) {
            losses.add(ofSecond.apply(second));
        }
        long[] order = new long[first.length + second.length];
        for (int i = 0; i < first.length; i++) {
            order[first[i]] = i;
        }
        for (int i = 0; i < second.length; i++) {
            order[second[i]] = first.length + i;
        }
        Tensor all = Ops.cat(0, losses.toArray(Tensor[]::new));
        return Ops.indexSelect(all, 0, Tensors.of(order, Device.of(all)));
    }
}
