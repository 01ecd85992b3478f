package dev.retort.diffusion.step;

/**
 * Density ratios r = p_data / p_student out of a discriminator's logits (Xu et al. 2025), and how they are made comparable between noise
 * levels: a ratio divided by the mean of its bin of time has mean 1 at every level.
 */
public final class DensityRatios {
    private static final double MOST_LOGIT = 10;
    private static final double LEAST = 1e-6;

    private DensityRatios() {}

    /**
     * The ratio of a sample, for the mean of its logits (each limited to -10..10).
     *
     * @param lowest ratios below are this, 0.1 in the paper
     * @param highest ratios above are this, 10 to 20
     */
    public static double ratio(double[] logits, double lowest, double highest) {
        double mean = 0;
        for (double logit : logits) {
            mean += Math.min(Math.max(logit, -MOST_LOGIT), MOST_LOGIT) / logits.length;
        }
        return Math.min(Math.max(StrictMath.exp(mean), lowest), highest);
    }

    /** A ratio divided by a mean. */
    public static double level(double ratio, double mean) {
        return ratio / (mean + LEAST);
    }

    /** In which of equal bins over {@code from..to} a time lies; those beyond lie in the outermost. */
    public static int bin(double time, int bins, double from, double to) {
        int bin = (int) Math.floor((time - from) / (to - from) * bins);
        return Math.min(Math.max(bin, 0), bins - 1);
    }
}
