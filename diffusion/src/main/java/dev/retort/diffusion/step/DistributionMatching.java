package dev.retort.diffusion.step;

/**
 * The gradient of distribution matching (Yin et al. 2024): (fake x0 - teacher's x0) times {@link #weight}, at the student's noised sample. As a loss: half the squared distance of
 * the student's sample x from x minus that gradient, held fixed.
 */
public final class DistributionMatching {
    /** What is added to the distance, so that its inverse is finite. */
    public static final double LEAST = 1e-6;

    private DistributionMatching() {}

    /**
     * The factor before the difference, for a sample.
     *
     * @param meanDistance the mean of |x - teacher's x0| over the sample's elements
     */
    public static double weight(double meanDistance) {
        return 1 / (meanDistance + LEAST);
    }
}
