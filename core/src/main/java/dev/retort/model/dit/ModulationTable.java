package dev.retort.model.dit;

import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The modulations of all steps of one request. They hold a third of the network's weights but depend on time and label alone.
 * What Java knows of a step, its times and labels, became rows of the table when the request was opened: a step neither
 * computes them nor asks the device for anything.
 */
final class ModulationTable implements AutoCloseable {
    /** Beyond this, each step computes its own: with so many labels the weights are read for many rows anyway. */
    private static final long MOST_BYTES = 512L << 20;

    /** For each layer (times·labels, parts, D), fp32. */
    private final List<Tensor> layers;
    /** Of each step and sample (S, N), 64-bit integers. */
    private final Tensor rows;

    private ModulationTable(List<Tensor> layers, Tensor rows) {
        this.layers = layers;
        this.rows = rows;
    }

    /**
     * For every pair of a time and a label; a time that several steps share is computed once.
     *
     * @param dit whose modulations these are
     * @param labels label of each sample
     * @return nothing where they would take too much memory
     */
    static Optional<ModulationTable> of(Dit dit, double[] times, long[] labels) {
        Map<Float, Integer> timeRows = new LinkedHashMap<>();
        for (double time : times) {
            timeRows.putIfAbsent((float) time, timeRows.size());
        }
        Map<Long, Integer> labelRows = new LinkedHashMap<>();
        for (long label : labels) {
            labelRows.putIfAbsent(label, labelRows.size());
        }
        int count = timeRows.size() * labelRows.size();
        long values = ((dit.modulated() - 1L) * DitBlock.PARTS + Dit.LAST_PARTS)
                * dit.spec().hidden();
        if (count * values * Float.BYTES > MOST_BYTES) {
            return Optional.empty();
        }
        float[] time = new float[count];
        long[] label = new long[count];
        timeRows.forEach((t, i) -> labelRows.forEach((y, j) -> {
            time[i * labelRows.size() + j] = t;
            label[i * labelRows.size() + j] = y;
        }));
        long[] rowOf = new long[times.length * labels.length];
        for (int i = 0; i < rowOf.length; i++) {
            int t = timeRows.get((float) times[i / labels.length]);
            rowOf[i] = (long) t * labelRows.size() + labelRows.get(labels[i % labels.length]);
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Device device = dit.device();
            Tensor act = Ops.silu(dit.condition(Tensors.of(time, device, count), Tensors.of(label, device)));
            List<Tensor> layers = new ArrayList<>();
            for (int i = 0; i < dit.modulated(); i++) {
                try (Scope layer = Scope.open()) {
                    layers.add(layer.keep(Ops.cat(1, dit.modulations(i, act))));
                }
            }
            return Optional.of(new ModulationTable(
                    layers, scope.keep(Ops.view(Tensors.of(rowOf, device), times.length, labels.length))));
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
