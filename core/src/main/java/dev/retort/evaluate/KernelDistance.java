package dev.retort.evaluate;

import dev.retort.error.RetortException;
import java.util.Arrays;
import java.util.Random;

/**
 * Kernel distance (Bińkowski et al. 2018, "KID" on Inception features): squared maximum mean discrepancy with
 * k(x, y) = (x·y / d + 1)³. Unbiased, hence slightly negative for equal distributions; a valid value, never clamped.
 */
public final class KernelDistance {
    /**
     * Mean and population standard deviation over random subsets. Subsets overlap, so the deviation is no standard error.
     *
     * @param mean of the subsets
     * @param deviation of the subsets
     */
    public record OverSubsets(double mean, double deviation) {}

    private KernelDistance() {}

    /** The unbiased estimate on all images: sum over i≠j of Kxx / (n(n-1)), the same of Kyy, minus twice the mean of Kxy. */
    public static double unbiased(FeatureMatrix x, FeatureMatrix y) {
        return unbiased(x, within(x), y);
    }

    /** The same where the mean kernel {@link #within} the first set is known. */
    static double unbiased(FeatureMatrix x, double withinX, FeatureMatrix y) {
        return withinX + within(y) - 2 * sum(x, y) / ((double) x.rows() * y.rows());
    }

    /** The unbiased estimate on {@code count} subsets of {@code size} images of each side, drawn without replacement. */
    public static OverSubsets overSubsets(FeatureMatrix x, FeatureMatrix y, int count, int size, long seed) {
        if (size > x.rows() || size > y.rows()) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    "Kernel distance over subsets of " + size + " needs as many images on both sides, there are "
                            + x.rows() + " and " + y.rows() + "; use the estimate on all images instead.");
        }
        Random random = new Random(seed);
        double[] values = new double[count];
        for (int s = 0; s < count; s++) {
            FeatureMatrix xs = x.sample(size, random);
            values[s] = unbiased(xs, y.sample(size, random));
        }
        double mean = Arrays.stream(values).average().orElse(Double.NaN);
        double variance = Arrays.stream(values)
                .map(v -> (v - mean) * (v - mean))
                .average()
                .orElse(Double.NaN);
        return new OverSubsets(mean, Math.sqrt(variance));
    }

    /** Mean kernel of two different images of a set. */
    static double within(FeatureMatrix x) {
        if (x.rows() < 2) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    "Kernel distance: " + x.rows() + " images on one side, at least 2 are needed; give more images.");
        }
        double diagonal = 0;
        for (double norm : Pairwise.squaredNorms(x)) {
            diagonal += kernel(norm, x.dimension());
        }
        return (sum(x, x) - diagonal) / ((double) x.rows() * (x.rows() - 1));
    }

    private static double sum(FeatureMatrix x, FeatureMatrix y) {
        double[] sums = new double[x.rows()]; // by row, so that the result does not depend on the threads
        int d = x.dimension();
        Pairwise.visit(x, y, (i, first, dots, count) -> {
            double sum = 0;
            for (int j = 0; j < count; j++) {
                sum += kernel(dots[j], d);
            }
            sums[i] += sum;
        });
        return Arrays.stream(sums).sum();
    }

    private static double kernel(double dot, int d) {
        double base = dot / d + 1;
        return base * base * base;
    }
}
