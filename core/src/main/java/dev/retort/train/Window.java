package dev.retort.train;

import java.util.LinkedHashMap;
import java.util.Map;

/** Sums over the steps since the last log line. */
final class Window {
    static final int TIME_BINS = 10;

    private final Map<String, double[]> terms = new LinkedHashMap<>();
    private final double[] binSums = new double[TIME_BINS];
    private final long[] binCounts = new long[TIME_BINS];
    private double gradientNorms;
    private long clipped;
    private long steps;
    private long images;
    private long startNanos = System.nanoTime();

    /** The losses of some samples under one term; {@code binned} enters the loss per time bin. */
    void add(String term, float[] perSample, double[] times, double span, boolean binned) {
        double[] sum = terms.computeIfAbsent(term, key -> new double[2]);
        for (int i = 0; i < perSample.length; i++) {
            sum[0] += perSample[i];
            sum[1]++;
            if (binned) {
                int bin = Math.min(TIME_BINS - 1, (int) (times[i] / span * TIME_BINS));
                binSums[bin] += perSample[i];
                binCounts[bin]++;
            }
        }
    }

    void step(double gradientNorm, boolean wasClipped, int count) {
        gradientNorms += gradientNorm;
        clipped += wasClipped ? 1 : 0;
        steps++;
        images += count;
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    double imagesPerSecond() {
        return images / seconds();
    }

    long steps() {
        return steps;
    }

    /** What stands in a log line. */
    Map<String, Object> summary() {
        Map<String, Object> values = new LinkedHashMap<>();
        terms.forEach((name, sum) -> values.put("loss/" + name, sum[0] / sum[1]));
        for (int i = 0; i < TIME_BINS; i++) {
            if (binCounts[i] > 0) {
                values.put("loss-by-time/" + i, binSums[i] / binCounts[i]);
            }
        }
        values.put("gradient-norm", gradientNorms / Math.max(1, steps));
        values.put("clipped-share", (double) clipped / Math.max(1, steps));
        values.put("images-per-second", imagesPerSecond());
        return values;
    }
}
