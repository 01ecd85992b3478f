package dev.retort.diffusion;

import java.util.Arrays;

/** How the predicted clean sample is kept in range, element by element or sample by sample. The only non-linear part of a plan. */
public sealed interface Clamp {
    /** Leaves it alone: right for latents. */
    Clamp NONE = new None();

    /** Cuts to -limit..limit: right for pixels. */
    static Clamp to(double limit) {
        return new Range(limit);
    }

    /** Clamps one sample in place. */
    void apply(double[] x0);

    /** No clamp. */
    record None() implements Clamp {
        @Override
        public void apply(double[] x0) {}
    }

    /**
     * Cuts every element to -limit..limit.
     *
     * @param limit above 0, usually 1
     */
    record Range(double limit) implements Clamp {
        public Range {
            if (!(limit > 0)) {
                throw new IllegalArgumentException("limit is " + limit + ", expected above 0");
            }
        }

        @Override
        public void apply(double[] x0) {
            for (int i = 0; i < x0.length; i++) {
                x0[i] = Math.min(Math.max(x0[i], -limit), limit);
            }
        }
    }

    /**
     * Dynamic thresholding (Saharia et al. 2022, Imagen): s is the given quantile of |x0| of one sample, at least 1 and at most {@code max}; x0 is cut to -s..s
     * and divided by s. The quantile is interpolated linearly.
     *
     * @param quantile in 0..1, usually 0.995
     * @param max the largest s, at least 1
     */
    record Dynamic(double quantile, double max) implements Clamp {
        public Dynamic {
            if (!(quantile >= 0 && quantile <= 1)) {
                throw new IllegalArgumentException("quantile is " + quantile + ", expected 0..1");
            }
            if (!(max >= 1)) {
                throw new IllegalArgumentException("max is " + max + ", expected at least 1");
            }
        }

        @Override
        public void apply(double[] x0) {
            double[] sorted = new double[x0.length];
            for (int i = 0; i < x0.length; i++) {
                sorted[i] = Math.abs(x0[i]);
            }
            Arrays.sort(sorted);
            double place = quantile * (sorted.length - 1);
            int low = (int) Math.floor(place);
            int high = Math.min(low + 1, sorted.length - 1);
            double s = sorted[low] + (place - low) * (sorted[high] - sorted[low]);
            s = Math.min(Math.max(s, 1), max);
            for (int i = 0; i < x0.length; i++) {
                x0[i] = Math.min(Math.max(x0[i], -s), s) / s;
            }
        }
    }
}
