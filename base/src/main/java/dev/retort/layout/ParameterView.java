package dev.retort.layout;

import dev.retort.io.Dtype;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import dev.retort.io.TensorView;
import dev.retort.layout.WeightLayout.Part;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The tensors of a file as the parameters of a network: under its names, in its order, put together of the rows that the file
 * keeps apart. Rows that the file lacks are zeros.
 */
final class ParameterView extends TensorView {
    /** By parameter, each row once, in their order. */
    private final Map<String, List<Part>> partsOf = new HashMap<>();

    private final Map<String, Supplier<float[]>> computed;
    private final Map<String, float[]> made = new HashMap<>();

    /**
     * A view, which needs the file open.
     *
     * @param shapes the network's parameters
     * @param parts keys that the file holds
     * @param computed parameters that are not read but made, each when it is first asked for
     */
    ParameterView(
            TensorFile file, Map<String, long[]> shapes, List<Part> parts, Map<String, Supplier<float[]>> computed) {
        super(file);
        this.computed = computed;
        parts.stream().sorted(Comparator.comparingLong(Part::firstRow)).forEach(part -> partsOf.computeIfAbsent(
                        part.parameter(), name -> new ArrayList<>())
                .add(part));
        shapes.forEach((name, shape) -> entries.put(name, new TensorEntry(name, type(name), shape)));
    }

    /** That of all its rows, or F32. */
    private Dtype type(String name) {
        List<Dtype> types = partsOf.getOrDefault(name, List.of()).stream()
                .map(part -> file.entry(part.key()).dtype())
                .distinct()
                .toList();
        return computed.containsKey(name) || types.size() != 1 ? Dtype.F32 : types.get(0);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        TensorEntry entry = entry(name);
        if (computed.containsKey(name)) {
            float[] values =
                    made.computeIfAbsent(name, absent -> computed.get(absent).get());
            int size = Dtype.F32.bytes();
            ByteBuffer out = target.duplicate().order(ByteOrder.LITTLE_ENDIAN);
            Dtype.F32.encode(values, (int) (from / size), target.remaining() / size, out);
            target.position(target.limit());
            return;
        }
        long row = entry.byteCount() / entry.shape()[0];
        long at = from;
        for (Part part : partsOf.getOrDefault(name, List.of())) {
            long begin = part.firstRow() * row;
            long end = begin + part.shape()[0] * row;
            at += zeros(target, begin - at);
            if (at < end && target.hasRemaining()) {
                ByteBuffer rows = slice(target, end - at);
                at += rows.remaining();
                stored(part, at - rows.remaining() - begin, entry.dtype(), rows);
            }
        }
        zeros(target, target.remaining());
    }

    /** The next bytes of a target, no more than so many, which count as written. */
    private static ByteBuffer slice(ByteBuffer target, long most) {
        int count = (int) Math.min(target.remaining(), most);
        ByteBuffer slice = target.slice(target.position(), count);
        target.position(target.position() + count);
        return slice;
    }

    private static long zeros(ByteBuffer target, long most) {
        ByteBuffer zeros = slice(target, Math.max(0, most));
        long count = zeros.remaining();
        while (zeros.hasRemaining()) {
            zeros.put((byte) 0);
        }
        return count;
    }

    private void stored(Part part, long from, Dtype wanted, ByteBuffer target) {
        Dtype type = file.entry(part.key()).dtype();
        if (type == wanted) {
            file.read(part.key(), from, target);
        } else {
            int count = target.remaining() / wanted.bytes();
            wanted.encode(
                    file.floats(part.key(), from / wanted.bytes(), count),
                    0,
                    count,
                    target.order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    /** Its file is closed by whoever opened that. */
    @Override
    public void close() {}
}
