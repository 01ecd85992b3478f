package dev.retort.layout;

import dev.retort.io.Dtype;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorView;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights with adapters merged into them as they are read: W + Σ scale·B·A, in fp32 and row by row, so that the model exists nowhere twice.
 * What no adapter adds to is read as it is stored.
 */
public final class AdaptedWeights extends TensorView {
    private final Map<String, List<PlacedLora>> byParameter = new HashMap<>();
    /** Of the tensor that is being read: those who fill networks ask for portions of one after another. */
    private String held = "";

    private final List<Factors> factors = new ArrayList<>();

    /** An adapter's values, B with its scale. */
    private record Factors(PlacedLora placed, float[] a, float[] b) {}

    /**
     * A view, which needs the weights and the adapters open.
     *
     * @param file the network's parameters under its own names
     * @param placed adapters of layers that it has
     */
    public AdaptedWeights(TensorFile file, List<PlacedLora> placed) {
        super(file);
        placed.forEach(one -> byParameter
                .computeIfAbsent(one.own() + ".weight", name -> new ArrayList<>())
                .add(one));
        file.entries()
                .forEach((name, entry) -> entries.put(
                        name, byParameter.containsKey(name) ? new TensorEntry(name, Dtype.F32, entry.shape()) : entry));
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        if (!byParameter.containsKey(name)) {
            file.read(name, from, target);
            return;
        }
        hold(name);
        int size = Dtype.F32.bytes();
        int count = target.remaining() / size;
        float[] values = file.floats(name, from / size, count);
        int width = Math.toIntExact(entry(name).elements() / entry(name).shape()[0]);
        float[] added = new float[width];
        for (int at = 0; at < count; ) {
            long row = (from / size + at) / width;
            int column = (int) ((from / size + at) % width);
            int some = Math.min(count - at, width - column);
            add(row, column, some, added, values, at);
            at += some;
        }
        ByteBuffer out = target.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        Dtype.F32.encode(values, 0, count, out);
        target.position(target.limit());
    }

    /** Adds to {@code count} values of a row, those at {@code at} on, from this column of it on. */
    private void add(long row, int column, int count, float[] added, float[] values, int at) {
        Arrays.fill(added, 0, count, 0);
        for (Factors one : factors) {
            if (one.placed().reaches(row)) {
                int rank = one.placed().pair().rank();
                int first = (int) (row - one.placed().firstRow()) * rank;
                for (int k = 0; k < rank; k++) {
                    axpy(one.b()[first + k], one.a(), k * one.placed().pair().inputs() + column, added, count);
                }
            }
        }
        for (int i = 0; i < count; i++) {
            values[at + i] += added[i];
        }
    }

    /** y += factor·x; a loop that the compiler turns into vector instructions. */
    private static void axpy(float factor, float[] x, int from, float[] y, int count) {
        for (int i = 0; i < count; i++) {
            y[i] += factor * x[from + i];
        }
    }

    private void hold(String name) {
        if (held.equals(name)) {
            return;
        }
        factors.clear();
        byParameter.get(name).forEach(placed -> {
            factors.add(new Factors(
                    placed, placed.pair().down().get(), placed.pair().scaledUp()));
        });
        held = name;
    }

    /** Its files are closed by whoever opened them. */
    @Override
    public void close() {}
}
