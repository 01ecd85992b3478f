package dev.retort.model;

import dev.retort.card.Part;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;

/**
 * What a network is told beside image and time: named parts, one row per sample in each. It owns nothing: its tensors live
 * as long as the scope they were made in.
 */
public final class Condition {
    private final Map<Part, Tensor> parts;
    private final long rows;
    private final Device device;

    private Condition(Map<Part, Tensor> parts, long rows, Device device) {
        this.parts = parts;
        this.rows = rows;
        this.device = device;
    }

    /** That of samples of which a network is told nothing but the time: no parts. */
    public static Condition empty(long rows, Device device) {
        return new Condition(new EnumMap<>(Part.class), rows, device);
    }

    /**
     * The given parts.
     *
     * @param parts each (N, …) of the shape that the network's {@link dev.retort.card.ConditionSpec} says, on its device
     * @throws IllegalArgumentException where there is no part, so that {@link #empty} is meant, or parts differ in their number of rows
     */
    public static Condition of(Map<Part, Tensor> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("a condition has no parts, expected at least one");
        }
        Tensor any = parts.values().iterator().next();
        return of(parts, any.size(0), Device.of(any));
    }

    private static Condition of(Map<Part, Tensor> parts, long rows, Device device) {
        parts.forEach((part, tensor) -> {
            if (tensor.size(0) != rows) {
                throw new IllegalArgumentException("a condition has " + tensor.size(0) + " rows of " + part
                        + " beside parts of " + rows + ", expected one for each sample in every part");
            }
        });
        return new Condition(new EnumMap<>(parts), rows, device);
    }

    /** Number of samples. */
    public long rows() {
        return rows;
    }

    /**
     * One part (N, …).
     *
     * @throws IllegalArgumentException where it is absent
     */
    public Tensor get(Part part) {
        Tensor tensor = parts.get(part);
        if (tensor == null) {
            throw new IllegalArgumentException("the condition has no " + part + ", it has " + parts.keySet()
                    + "; a conditioner for this network gives all parts that it needs");
        }
        return tensor;
    }

    /** Whether it has a part. */
    public boolean has(Part part) {
        return parts.containsKey(part);
    }

    /** Whether it has these parts and no others. */
    public boolean hasOnly(Set<Part> wanted) {
        return parts.keySet().equals(wanted);
    }

    /** The same with a number for each sample. */
    public Condition with(Part part, double[] numbers) {
        return with(part, Tensors.of(numbers, device));
    }

    /** The same with one part added or replaced. */
    public Condition with(Part part, Tensor rows) {
        Map<Part, Tensor> all = new EnumMap<>(parts);
        all.put(part, rows);
        return of(all, this.rows, device);
    }

    /** The same without one part, if it has it. */
    public Condition without(Part part) {
        Map<Part, Tensor> others = new EnumMap<>(parts);
        others.remove(part);
        return of(others, rows, device);
    }

    /** Those of {@code count} samples from {@code first} on: views. */
    public Condition rows(long first, long count) {
        return first == 0 && count == rows ? this : map(count, tensor -> Ops.narrow(tensor, 0, first, count));
    }

    /** The samples of one condition, then those of another with the same parts. */
    public static Condition join(Condition a, Condition b) {
        return a.zip(b, a.rows + b.rows, (x, y) -> Ops.cat(0, x, y));
    }

    /**
     * These samples, then the same ones told nothing, but for what {@code none} has no word for: numbers stay.
     *
     * @param none as many rows that tell nothing
     */
    public Condition thenNone(Condition none) {
        Map<Part, Tensor> all = new EnumMap<>(parts);
        all.putAll(none.parts);
        return join(this, of(all, none.rows, device));
    }

    /**
     * The same where some samples are told nothing.
     *
     * @param dropped which samples
     * @param none as many rows that tell nothing, with the same parts
     */
    public Condition orNone(boolean[] dropped, Condition none) {
        if (dropped.length != rows || none.rows != rows) {
            throw new IllegalArgumentException(dropped.length + " samples are dropped or not and " + none.rows
                    + " rows tell nothing, expected " + rows + " of both");
        }
        long[] from = new long[dropped.length];
        boolean any = false;
        for (int i = 0; i < from.length; i++) {
            from[i] = dropped[i] ? rows + i : i;
            any |= dropped[i];
        }
        if (!any) {
            return this;
        }
        Tensor index = Tensors.of(from, device);
        return join(this, none).select(index);
    }

    /** Those samples whose numbers are given (K), in that order. */
    public Condition select(Tensor index) {
        return map(index.size(0), tensor -> Ops.indexSelect(tensor, 0, index));
    }

    private Condition map(long count, UnaryOperator<Tensor> each) {
        Map<Part, Tensor> mapped = new EnumMap<>(parts);
        mapped.replaceAll((part, tensor) -> each.apply(tensor));
        return of(mapped, count, device);
    }

    private Condition zip(Condition other, long count, BinaryOperator<Tensor> each) {
        if (!parts.keySet().equals(other.parts.keySet())) {
            throw new IllegalArgumentException(
                    "conditions of " + parts.keySet() + " and of " + other.parts.keySet() + " do not go together");
        }
        Map<Part, Tensor> joined = new EnumMap<>(parts);
        joined.replaceAll((part, tensor) -> each.apply(tensor, other.parts.get(part)));
        return of(joined, count, device);
    }
}
