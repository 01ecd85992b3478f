package dev.retort.train;

import dev.retort.report.TrainingMetric;
import java.util.LinkedHashMap;
import java.util.Map;

/** Sums over the steps since the last log line. */
final class StepStatistics {
    static final int TIME_BINS = 10;

    private final Map<String, double[]> losses = new LinkedHashMap<>();
    private final Map<String, Norms> norms = new LinkedHashMap<>();
    private final double[] binSums = new double[TIME_BINS];
    private final long[] binCounts = new long[TIME_BINS];
    private long images;
    private long frozenCalls;
    private final long startNanos = System.nanoTime();

    /** Of one player's gradients. */
    private static final class Norms {
        private double sum;
        private long clipped;
        private long steps;
    }

    /** The losses of some samples under one name. */
    void add(String loss, float[] perSample) {
        double[] sum = losses.computeIfAbsent(loss, key -> new double[2]);
        for (float value : perSample) {
            sum[0] += value;
            sum[1]++;
        }
    }

    /** The same by where on the way from image (0) to noise (1) each sample was looked at. */
    void addByPlace(double[] places, float[] perSample) {
        for (int i = 0; i < perSample.length; i++) {
            int bin = Math.min(TIME_BINS - 1, (int) (places[i] * TIME_BINS));
            binSums[bin] += perSample[i];
            binCounts[bin]++;
        }
    }

    /** A player's step; the name is empty for the one whose weights are the result. */
    void step(String player, double gradientNorm, boolean wasClipped) {
        Norms of = norms.computeIfAbsent(player, key -> new Norms());
        of.sum += gradientNorm;
        of.clipped += wasClipped ? 1 : 0;
        of.steps++;
    }

    /** So many images went through a step, for which frozen networks were called so often for an image. */
    void seen(int count, long calls) {
        images += count;
        frozenCalls += calls;
    }

    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    double imagesPerSecond() {
        return images / seconds();
    }

    /** What stands in a log line. */
    Map<String, Object> summary() {
        Map<String, Object> values = new LinkedHashMap<>();
        losses.forEach((name, sum) -> values.put(TrainingMetric.loss(name), sum[0] / sum[1]));
        for (int i = 0; i < TIME_BINS; i++) {
            if (binCounts[i] > 0) {
                values.put(TrainingMetric.lossByTime(i), binSums[i] / binCounts[i]);
            }
        }
        norms.forEach((player, of) -> {
            String whose = player.isEmpty() ? "" : "/" + player;
            values.put("gradient-norm" + whose, of.sum / of.steps);
            values.put("clipped-share" + whose, (double) of.clipped / of.steps);
        });
        values.put(TrainingMetric.TEACHER_CALLS, images == 0 ? 0 : (double) frozenCalls / images);
        values.put(TrainingMetric.IMAGES_PER_SECOND, imagesPerSecond());
        return values;
    }
}
