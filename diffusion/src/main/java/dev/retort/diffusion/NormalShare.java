package dev.retort.diffusion;

/**
 * The standard normal distribution function, the inverse of {@link NormalQuantile}, to some 1e-16: the series of Marsaglia 2004 in the middle, the continued
 * fraction of the Mills ratio outside.
 */
final class NormalShare {
    private static final double DENSITY = 1 / Math.sqrt(2 * Math.PI);
    private static final double MIDDLE = 3;
    private static final int TERMS = 200;

    private NormalShare() {}

    /** P(Z <= z). */
    static double at(double z) {
        if (Double.isInfinite(z)) {
            return z > 0 ? 1 : 0;
        }
        double density = DENSITY * StrictMath.exp(-z * z / 2);
        if (Math.abs(z) < MIDDLE) {
            double term = z;
            double sum = z;
            for (int k = 3; Math.abs(term) > 1e-18 && k < 2 * TERMS; k += 2) {
                term *= z * z / k;
                sum += term;
            }
            return 0.5 + density * sum;
        }
        double fraction = Math.abs(z);
        for (int k = TERMS; k > 0; k--) {
            fraction = Math.abs(z) + k / fraction;
        }
        double tail = density / fraction;
        return z < 0 ? tail : 1 - tail;
    }
}
