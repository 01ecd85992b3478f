package dev.retort.diffusion;

import java.util.List;

/**
 * Which outputs of a network count in a call: the sum of a row of neighbours, each times its factor. A network with one head has one output,
 * which counts as it is.
 *
 * @param first the first of them, from 0
 * @param factors of it and those behind it
 */
public record Heads(int first, List<Double> factors) {
    /** The only output. */
    public static final Heads ONLY = new Heads(0, List.of(1.0));

    public Heads {
        factors = List.copyOf(factors);
        if (first < 0 || factors.isEmpty()) {
            throw new IllegalArgumentException(
                    "heads begin at " + first + " and are " + factors.size() + "; expected at least 0 and at least 1");
        }
    }

    /** The one behind the last. */
    public int end() {
        return first + factors.size();
    }

    /** The factor of a head, 0 of those that do not count. */
    public double factor(int head) {
        return head < first || head >= end() ? 0 : factors.get(head - first);
    }

    /**
     * The sum.
     *
     * @param output all outputs of one sample, one after another
     * @param size values of each
     */
    double[] of(double[] output, int size) {
        if (equals(ONLY)) {
            return output;
        }
        double[] sum = new double[size];
        for (int head = first; head < end(); head++) {
            for (int i = 0; i < size; i++) {
                sum[i] += factor(head) * output[head * size + i];
            }
        }
        return sum;
    }
}
