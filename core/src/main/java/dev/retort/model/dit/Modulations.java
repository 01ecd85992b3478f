package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.model.WeightSource;
import dev.retort.nn.PreparedLinear;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
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
 * Shift, 1 + scale and gate of every block and of the last layer, for a time and a label. They hold a third of the
 * network's weights but depend on nothing else, so a request computes them for all its steps in one product each.
 */
final class Modulations implements AutoCloseable {
    private static final int BLOCK_PARTS = 6;
    private static final int LAST_PARTS = 2;
    /** Beyond this, each step computes its own: with so many labels the weights are read for many rows anyway. */
    private static final long MOST_BYTES = 512L << 20;

    private final int hidden;
    private final double shift;
    private final PreparedLinear timeFirst;
    private final PreparedLinear timeSecond;
    private final Tensor labelTable;
    private final List<PreparedLinear> layers = new ArrayList<>();

    Modulations(DitSpec spec, WeightSource weights, Dtype dtype) {
        hidden = spec.hidden();
        shift = spec.convention().frequencyShift();
        timeFirst = PreparedBlock.linear(weights, "t_embedder.mlp.0", dtype);
        timeSecond = PreparedBlock.linear(weights, "t_embedder.mlp.2", dtype);
        labelTable = PreparedBlock.copy(weights, "y_embedder.embedding_table.weight");
        for (int i = 0; i < spec.depth(); i++) {
            layers.add(PreparedBlock.linear(weights, "blocks." + i + ".adaLN_modulation.1", dtype));
        }
        layers.add(PreparedBlock.linear(weights, "final_layer.adaLN_modulation.1", dtype));
    }

    /**
     * Those of all steps of a request, for every pair of a time and a label; a time that several steps share is computed once.
     *
     * @param labels label of each sample
     * @return nothing where they would take too much memory
     */
    Optional<ModulationTable> table(double[] times, long[] labels) {
        Map<Float, Integer> timeRows = new LinkedHashMap<>();
        for (double time : times) {
            timeRows.putIfAbsent((float) time, timeRows.size());
        }
        Map<Long, Integer> labelRows = new LinkedHashMap<>();
        for (long label : labels) {
            labelRows.putIfAbsent(label, labelRows.size());
        }
        int rows = timeRows.size() * labelRows.size();
        long values = ((layers.size() - 1L) * BLOCK_PARTS + LAST_PARTS) * hidden;
        if (rows * values * Float.BYTES > MOST_BYTES) {
            return Optional.empty();
        }
        float[] time = new float[rows];
        long[] label = new long[rows];
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
            Device device = Device.of(labelTable);
            Tensor act = act(Tensors.of(time, device, rows), Tensors.of(label, device));
            List<Tensor> tables = new ArrayList<>();
            for (int i = 0; i < layers.size(); i++) {
                try (Scope layer = Scope.open()) {
                    tables.add(layer.keep(parts(i, act)));
                }
            }
            return Optional.of(new ModulationTable(
                    tables, scope.keep(Ops.view(Tensors.of(rowOf, device), times.length, labels.length))));
        }
    }

    /** Per layer (N, parts, D), fp32. */
    Tensor[] at(Tensor time, Tensor label) {
        Tensor act = act(time, label);
        Tensor[] result = new Tensor[layers.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = parts(i, act);
        }
        return result;
    }

    private Tensor act(Tensor time, Tensor label) {
        Tensor t = timeSecond.forward(Ops.silu(timeFirst.forward(TimestepEmbedder.features(time, shift))));
        return Ops.silu(Dtype.F32.cast(Ops.add(t, Ops.embedding(labelTable, label)))); // (M, D)
    }

    private Tensor parts(int layer, Tensor act) {
        int parts = layer == layers.size() - 1 ? LAST_PARTS : BLOCK_PARTS;
        Tensor m = Ops.view(Dtype.F32.cast(layers.get(layer).forward(act)), act.size(0), parts, hidden);
        for (int scale = 1; scale < parts; scale += 3) {
            Ops.addInPlace(Ops.narrow(m, 1, scale, 1), 1);
        }
        return m;
    }

    @Override
    public void close() {
        timeFirst.close();
        timeSecond.close();
        layers.forEach(PreparedLinear::close);
        labelTable.close();
    }
}
