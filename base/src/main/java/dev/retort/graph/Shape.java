package dev.retort.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Shape of a tensor; one without dimensions is a single value.
 *
 * @param sizes of the dimensions, outermost first
 */
public record Shape(List<Size> sizes) {
    /** Copies. */
    public Shape {
        sizes = List.copyOf(sizes);
    }

    /** A shape that no batch changes. */
    public static Shape of(long... lengths) {
        List<Size> sizes = new ArrayList<>();
        for (long length : lengths) {
            sizes.add(Size.of(length));
        }
        return new Shape(sizes);
    }

    /** A shape whose first dimension is the batch. */
    public static Shape ofSamples(long... lengths) {
        List<Size> sizes = new ArrayList<>();
        sizes.add(new Size(0, 1));
        sizes.addAll(of(lengths).sizes);
        return new Shape(sizes);
    }

    /** Number of dimensions. */
    public int rank() {
        return sizes.size();
    }

    /** Length of a dimension, counted from the last where negative: -1 is the last one. */
    public Size size(int dim) {
        return sizes.get(index(dim));
    }

    /** Number of values for this many samples. */
    public long elements(long batch) {
        long count = 1;
        for (Size size : sizes) {
            count *= size.at(batch);
        }
        return count;
    }

    /** The lengths for this many samples. */
    public long[] at(long batch) {
        return sizes.stream().mapToLong(size -> size.at(batch)).toArray();
    }

    /** The same but for one dimension. */
    Shape with(int dim, Size size) {
        List<Size> changed = new ArrayList<>(sizes);
        changed.set(index(dim), size);
        return new Shape(changed);
    }

    /** The same without one dimension. */
    Shape without(int dim) {
        List<Size> changed = new ArrayList<>(sizes);
        changed.remove(index(dim));
        return new Shape(changed);
    }

    private int index(int dim) {
        int index = dim < 0 ? dim + rank() : dim;
        if (index < 0 || index >= rank()) {
            throw new IllegalArgumentException(
                    "dimension is " + dim + ", expected one of the " + rank() + " of " + this);
        }
        return index;
    }

    /** As in {@code (N, 16, 64)}. */
    @Override
    public String toString() {
        return sizes.stream().map(Size::toString).collect(Collectors.joining(", ", "(", ")"));
    }
}
