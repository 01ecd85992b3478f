package dev.retort.model.dit;

import dev.retort.card.Part;
import dev.retort.model.Condition;
import dev.retort.model.Moment;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private ModulationTable(List<Tensor> layers, Tensor rows) {
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
        Map<Moment, Integer> momentRows = new LinkedHashMap<>();
        for (Moment moment : moments) {
            momentRows.putIfAbsent(moment, momentRows.size());
        }
        Map<Long, Integer> labelRows = new LinkedHashMap<>();
        for (long label : labels) {
            labelRows.putIfAbsent(label, labelRows.size());
        }
        int count = momentRows.size() * labelRows.size();
        long values = ((dit.modulated() - 1L) * DitBlock.PARTS + Dit.LAST_PARTS)
                * dit.spec().hidden();
        if (count * values * Float.BYTES > MOST_BYTES) {
            return Optional.empty();
        }
        double[] time = new double[count];
        long[] label = new long[count];
        Map<Part, double[]> numbers = new EnumMap<>(Part.class);
        moments.get(0).numbers().keySet().forEach(part -> numbers.put(part, new double[count]));
        momentRows.forEach((moment, i) -> labelRows.forEach((y, j) -> {
            int row = i * labelRows.size() + j;
            time[row] = moment.time();
            label[row] = y;
            numbers.forEach((part, column) -> column[row] = moment.numbers().get(part));
        }));
        long[] rowOf = new long[moments.size() * labels.length];
        for (int i = 0; i < rowOf.length; i++) {
            int t = momentRows.get(moments.get(i / labels.length));
            rowOf[i] = (long) t * labelRows.size() + labelRows.get(labels[i % labels.length]);
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Device device = dit.device();
            Condition told = Condition.of(Map.of(Part.LABEL, Tensors.of(label, device)));
            for (Map.Entry<Part, double[]> number : numbers.entrySet()) {
                told = told.with(number.getKey(), number.getValue());
            }
            Tensor act = Ops.silu(dit.condition(Tensors.of(time, device), told));
            List<Tensor> layers = new ArrayList<>();
            for (int i = 0; i < dit.modulated(); i++) {
                try (Scope layer = Scope.open()) {
                    layers.add(layer.keep(Ops.cat(1, dit.modulations(i, act))));
                }
            }
            return Optional.of(new ModulationTable(
                    layers, scope.keep(Ops.view(Tensors.of(rowOf, device), moments.size(), labels.length))));
        }
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
