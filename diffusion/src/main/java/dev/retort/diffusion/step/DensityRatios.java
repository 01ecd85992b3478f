package dev.retort.diffusion.step;

import java.util.Arrays;

/**
 * Density ratios r = p_data / p_student out of a discriminator's logits (Xu et al. 2025), and their moving averages by noise level: a ratio divided by the average of its bin has mean 1
 * at every level. The averages belong to a run's state ({@link #averages}, {@link #restore}). Not for several threads.
 */
public final class DensityRatios {
    private static final double MOST_LOGIT = 10;
    private static final double LEAST = 1e-6;

    private final double lowest;
    private final double highest;
    private final double from;
    private final double to;
    private final double decay;
    private final double[] averages;

    /**
     * All averages 1.
     *
     * @param lowest ratios below are this, 0.1 in the paper
     * @param highest ratios above are this, 10 to 20
     * @param bins equal bins of time
     * @param from their first time
     * @param to their last
     * @param decay of the averages, 0 to 1
     */
    public DensityRatios(double lowest, double highest, int bins, double from, double to, double decay) {
        if (!(lowest > 0 && lowest < highest) || bins < 1 || !(from < to) || !(decay >= 0 && decay <= 1)) {
            throw new IllegalArgumentException("density ratios in " + lowest + ".." + highest + ", " + bins
                    + " bins over the times " + from + ".." + to + ", decay " + decay
                    + "; expected 0 < lowest < highest, at least 1 bin, from below to, and decay in 0..1");
        }
        this.lowest = lowest;
        this.highest = highest;
        this.from = from;
        this.to = to;
        this.decay = decay;
        averages = new double[bins];
        Arrays.fill(averages, 1);
    }

    /** The ratio of a sample, for the mean of its logits (each limited to -10..10). */
    public double ratio(double... logits) {
        return ratio(logits, lowest, highest);
    }

    /** The same within limits of the caller's. */
    public static double ratio(double[] logits, double lowest, double highest) {
        double mean = 0;
        for (double logit : logits) {
            mean += Math.min(Math.max(logit, -MOST_LOGIT), MOST_LOGIT) / logits.length;
        }
        return Math.min(Math.max(StrictMath.exp(mean), lowest), highest);
    }

    /**
     * Takes a batch into the averages, then divides its ratios by them.
     *
     * @param times one per sample
     * @param ratios one per sample, unchanged
     */
    public double[] levelled(double[] times, double[] ratios) {
        double[] sums = new double[averages.length];
        int[] counts = new int[averages.length];
        for (int i = 0; i < times.length; i++) {
            sums[bin(times[i])] += ratios[i];
            counts[bin(times[i])]++;
        }
        for (int b = 0; b < averages.length; b++) {
            if (counts[b] > 0) {
                averages[b] = decay * averages[b] + (1 - decay) * sums[b] / counts[b];
            }
        }
        double[] levelled = new double[ratios.length];
        for (int i = 0; i < ratios.length; i++) {
            levelled[i] = level(ratios[i], averages[bin(times[i])]);
        }
        return levelled;
    }

    /** A ratio divided by an average. */
    public static double level(double ratio, double average) {
        return ratio / (average + LEAST);
    }

    /** The average of every bin, a copy. */
    public double[] averages() {
        return averages.clone();
    }

    /** Goes on from averages that were kept. */
    public void restore(double[] kept) {
        if (kept.length != averages.length) {
            throw new IllegalArgumentException(
                    "averages of " + kept.length + " bins were kept; expected " + averages.length);
        }
        System.arraycopy(kept, 0, averages, 0, kept.length);
    }

    private int bin(double time) {
        return bin(time, averages.length, from, to);
    }

    /** In which of equal bins over {@code from..to} a time lies; those beyond lie in the outermost. */
    public static int bin(double time, int bins, double from, double to) {
        int bin = (int) Math.floor((time - from) / (to - from) * bins);
        return Math.min(Math.max(bin, 0), bins - 1);
    }
}
