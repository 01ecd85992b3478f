package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;

/**
 * The modulations of all steps of one request. They hold a third of the network's weights but depend on time, label and numbers alone.
 * What Java knows of a step, its moment and labels, became rows of the table when the request was opened: a step neither
 * computes them nor asks the device for anything.
 */
final class ModulationTable implements AutoCloseable {
    /** Beyond this, each step computes its own: with so many labels the weights are read for many rows anyway. */
    private static final long MOST_BYTES = 512L << 20;

    /** For each layer (moments·labels, parts, D), fp32. */
    private final List<Tensor> layers;
    /** Of each step and sample (S, N), 64-bit integers. */
    private final Tensor rows;

    /**
     * @param layers for each layer (rows, parts, D); closed with it
     * @param rows of each step and sample, places in these (S, N); closed with it
     */
    ModulationTable(List<Tensor> layers, Tensor rows) {
        this.layers = layers;
        this.rows = rows;
    }

    /**
     * For every pair of a moment and a label; a moment that several steps share is computed once.
     *
     * @param dit whose modulations these are
     * @param moments of the steps, all with the same numbers told
     * @param labels label of each sample
     * @return nothing where they would take too much memory
     */
    static Optional<ModulationTable> of(Dit dit, List<Moment> moments, long[] labels) {
        Map<Moment, Integer> times = places(moments.stream());
        Map<Long, Integer> known = places(Arrays.stream(labels).boxed());
        long count = (long) times.size() * known.size();
        long values = ((dit.modulated() - 1L) * DitSpec.BLOCK_PARTS + DitSpec.LAST_PARTS)
                * dit.spec().hidden();
        if (count * values * Float.BYTES > MOST_BYTES) {
            return Optional.empty();
        }
        long[] rowOf = new long[moments.size() * labels.length];
        for (int i = 0; i < rowOf.length; i++) {
            int time = times.get(moments.get(i / labels.length));
            rowOf[i] = (long) time * known.size() + known.get(labels[i % labels.length]);
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor act = activations(dit, List.copyOf(times.keySet()), List.copyOf(known.keySet()));
            List<Tensor> layers = new ArrayList<>();
            for (int i = 0; i < dit.modulated(); i++) {
                try (Scope layer = Scope.open()) {
                    layers.add(layer.keep(stacked(dit.joint(i, act), dit.modulations(i))));
                }
            }
            return Optional.of(new ModulationTable(
                    layers, scope.keep(Ops.view(Tensors.of(rowOf, dit.device()), moments.size(), labels.length))));
        }
    }

    /** Which of the distinct values each is, in the order of their first places. */
    private static <T> Map<T, Integer> places(Stream<T> values) {
        Map<T, Integer> places = new LinkedHashMap<>();
        values.forEach(value -> places.putIfAbsent(value, places.size()));
        return places;
    }

    /** SiLU(c) of every pair, all labels at the first moment before those at the next (moments·labels, D). */
    static Tensor activations(Dit dit, List<Moment> moments, List<Long> labels) {
        int count = moments.size() * labels.size();
        double[] time = new double[count];
        long[] label = new long[count];
        Map<Part, double[]> numbers = new EnumMap<>(Part.class);
        moments.get(0).numbers().keySet().forEach(part -> numbers.put(part, new double[count]));
        for (int row = 0; row < count; row++) {
            int at = row;
            Moment moment = moments.get(row / labels.size());
            time[row] = moment.time();
            label[row] = labels.get(row % labels.size());
            numbers.forEach((part, column) -> column[at] = moment.numbers().get(part));
        }
        Condition told = Condition.of(Map.of(Part.LABEL, Tensors.of(label, dit.device())));
        for (Map.Entry<Part, double[]> number : numbers.entrySet()) {
            told = told.with(number.getKey(), number.getValue());
        }
        return Ops.silu(dit.condition(Tensors.of(time, dit.device()), told));
    }

    /** Joint modulations (rows, parts·D) → (rows, parts, D), those that scale as factors. */
    static Tensor stacked(Tensor joint, int parts) {
        return Ops.cat(1, DitBlock.parts(joint, parts));
    }

    /** The rows of the first {@code n} samples in a step (n). */
    Tensor rows(int step, long n) {
        return Ops.narrow(Ops.select(rows, 0, step), 0, 0, n);
    }

    /** A layer's modulations, each (n, 1, D), fp32. */
    Tensor[] at(int layer, Tensor rows) {
        Tensor mine = Ops.indexSelect(layers.get(layer), 0, rows); // (n, parts, D)
        Tensor[] parts = new Tensor[Math.toIntExact(mine.size(1))];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = Ops.narrow(mine, 1, i, 1);
        }
        return parts;
    }

    @Override
    public void close() {
        layers.forEach(Tensor::close);
        rows.close();
    }
}
