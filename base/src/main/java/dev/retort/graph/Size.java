package dev.retort.graph;

/**
 * Length of one dimension, a whole number that may grow with the batch: fixed + perSample·N for N samples.
 *
 * @param fixed the part that every batch has
 * @param perSample what each sample adds
 */
public record Size(long fixed, long perSample) {
    /** A length that does not depend on the batch. */
    public static Size of(long length) {
        return new Size(length, 0);
    }

    /**
     * The length that is {@code a} for n samples and {@code b} for m.
     *
     * @throws IllegalArgumentException where no whole number per sample fits both
     */
    static Size through(long n, long a, long m, long b) {
        if ((b - a) % (m - n) != 0) {
            throw new IllegalArgumentException("a size is " + a + " for " + n + " samples and " + b + " for " + m
                    + ", expected one that grows by a whole number with each");
        }
        long slope = (b - a) / (m - n);
        return new Size(a - slope * n, slope);
    }

    /** The length for this many samples. */
    public long at(long batch) {
        return fixed + perSample * batch;
    }

    /** Whether it is this length for every batch. */
    public boolean is(long length) {
        return perSample == 0 && fixed == length;
    }

    /** The length of a dimension that no batch changes; an {@link IllegalArgumentException} for another. */
    public long whole() {
        if (perSample != 0) {
            throw new IllegalArgumentException("a size is " + this + ", expected one that the batch does not change");
        }
        return fixed;
    }

    Size plus(Size other) {
        return new Size(fixed + other.fixed, perSample + other.perSample);
    }

    Size minus(Size other) {
        return new Size(fixed - other.fixed, perSample - other.perSample);
    }

    Size times(long factor) {
        return new Size(fixed * factor, perSample * factor);
    }

    /** As in {@code 64}, {@code N}, {@code 2N} or {@code 1+N}. */
    @Override
    public String toString() {
        String samples = perSample == 1 ? "N" : perSample + "N";
        return perSample == 0 ? Long.toString(fixed) : fixed == 0 ? samples : fixed + "+" + samples;
    }
}
