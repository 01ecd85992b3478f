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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    private final Map<Float, Integer> timeRows = new HashMap<>();
    private final Map<Long, Integer> labelRows = new HashMap<>();
    /** Per layer (times·labels, parts, D), fp32; empty when nothing is prepared. */
    private final List<Tensor> tables = new ArrayList<>();

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

    /** Fills the tables for every pair of a time and a label; a time that several calls share is computed once. */
    void prepare(double[] times, long[] labels) {
        clear();
        for (double time : times) {
            timeRows.putIfAbsent((float) time, timeRows.size());
        }
        for (long label : labels) {
            labelRows.putIfAbsent(label, labelRows.size());
        }
        int rows = timeRows.size() * labelRows.size();
        long values = ((layers.size() - 1L) * BLOCK_PARTS + LAST_PARTS) * hidden;
        if (rows * values * Float.BYTES > MOST_BYTES) {
            clear();
            return;
        }
        float[] time = new float[rows];
        long[] label = new long[rows];
        timeRows.forEach((t, i) -> labelRows.forEach((y, j) -> {
            time[i * labelRows.size() + j] = t;
            label[i * labelRows.size() + j] = y;
        }));
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Device device = Device.of(labelTable);
            Tensor act = act(Tensors.of(time, device, rows), Tensors.of(label, device));
            for (int i = 0; i < layers.size(); i++) {
                try (Scope layer = Scope.open()) {
                    tables.add(layer.keep(parts(i, act)));
                }
            }
        }
    }

    /** Per layer (N, parts, D), fp32, for one step's times and labels. */
    Tensor[] at(Tensor time, Tensor label) {
        Tensor[] result = new Tensor[layers.size()];
        long[] rows = tables.isEmpty() ? null : rows(time, label);
        Tensor index = rows == null ? null : Tensors.of(rows, Device.of(labelTable));
        Tensor act = rows == null ? act(time, label) : null;
        for (int i = 0; i < result.length; i++) {
            result[i] = rows == null ? parts(i, act) : tables.get(i).index_select(0, index);
        }
        return result;
    }

    /** The tables' row of each sample, or null where one is not in them. */
    private long[] rows(Tensor time, Tensor label) {
        float[] times = Tensors.floats(time);
        long[] labels = Tensors.longs(label);
        long[] rows = new long[labels.length];
        for (int i = 0; i < rows.length; i++) {
            Integer t = timeRows.get(times[i]);
            Integer y = labelRows.get(labels[i]);
            if (t == null || y == null) {
                return null;
            }
            rows[i] = (long) t * labelRows.size() + y;
        }
        return rows;
    }

    private Tensor act(Tensor time, Tensor label) {
        Tensor t = timeSecond.forward(Ops.silu(timeFirst.forward(TimestepEmbedder.features(time, shift))));
        return Ops.silu(Dtype.F32.cast(t.add(Ops.embedding(labelTable, label)))); // (M, D)
    }

    private Tensor parts(int layer, Tensor act) {
        int parts = layer == layers.size() - 1 ? LAST_PARTS : BLOCK_PARTS;
        Tensor m = Dtype.F32.cast(layers.get(layer).forward(act)).view(act.size(0), parts, hidden);
        for (int scale = 1; scale < parts; scale += 3) {
            Ops.addInPlace(m.narrow(1, scale, 1), 1);
        }
        return m;
    }

    private void clear() {
        tables.forEach(Tensor::close);
        tables.clear();
        timeRows.clear();
        labelRows.clear();
    }

    @Override
    public void close() {
        clear();
        timeFirst.close();
        timeSecond.close();
        layers.forEach(PreparedLinear::close);
        labelTable.close();
    }
}
