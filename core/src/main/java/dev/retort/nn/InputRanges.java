package dev.retort.nn;

import dev.retort.card.QuantizationSpec;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** At which of several times, each with numbers of its own, a layer is asked: the nearest. */
final class InputRanges {
    private final List<Double> times;
    private final int count;

    /**
     * @param times of each range; empty where there is one for all
     * @param count how many ranges there are
     */
    InputRanges(List<Double> times, long count) {
        this.times = times;
        this.count = (int) count;
        if (count != 1 && count != times.size()) {
            throw new IllegalArgumentException(
                    count + " ranges of inputs, expected one, or one for each of " + times.size() + " times");
        }
    }

    /** What a layer computes by the range of its time; samples (N, …) of different ranges one range after another. */
    Tensor apply(Tensor x, IntFunction<UnaryOperator<Tensor>> byRange) {
        if (count == 1) {
            return byRange.apply(0).apply(x);
        }
        int[] ranges = Arrays.stream(AskedTime.current())
                .mapToInt(time -> QuantizationSpec.range(times, time))
                .toArray();
        int[] distinct = Arrays.stream(ranges).distinct().toArray();
        if (distinct.length == 1) {
            return byRange.apply(distinct[0]).apply(x);
        }
        if (ranges.length != x.size(0)) {
            throw new IllegalStateException(
                    ranges.length + " times were said for " + x.size(0) + " samples; expected one for each");
        }
        Tensor[] parts = new Tensor[distinct.length];
        int[] order = new int[ranges.length];
        int at = 0;
        for (int i = 0; i < parts.length; i++) {
            int range = distinct[i];
            int[] mine = IntStream.range(0, ranges.length)
                    .filter(sample -> ranges[sample] == range)
                    .toArray();
            for (int sample : mine) {
                order[sample] = at++;
            }
            parts[i] = byRange.apply(range).apply(Ops.indexSelect(x, 0, Tensors.of(mine, Device.of(x))));
        }
        return Ops.indexSelect(Ops.cat(0, parts), 0, Tensors.of(order, Device.of(x)));
    }
}
