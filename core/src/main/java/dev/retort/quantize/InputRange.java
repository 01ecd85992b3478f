package dev.retort.quantize;

import java.util.function.DoubleUnaryOperator;

/**
 * Numbers as unsigned bytes: u = round(x / scale) + zeroPoint.
 *
 * @param scale the unit
 * @param zeroPoint what stands for zero, 0 to 255
 */
record InputRange(float scale, int zeroPoint) {
    private static final int LEVELS = 255;
    private static final int TRIED = 11;
    private static final double LEAST_SHARE = 0.5;

    /** Of so much of a range, which holds zero. */
    private static InputRange of(double low, double high) {
        double scale = high > low ? (high - low) / LEVELS : 1;
        return new InputRange((float) scale, (int) Math.max(0, Math.min(LEVELS, Math.rint(-low / scale))));
    }

    /**
     * The range at which rounding changes some of the values least: first the share of the largest, then that of the smallest is searched.
     *
     * @param low the smallest value there was
     * @param high the largest
     * @param some of the values
     */
    static InputRange search(float low, float high, float[] some) {
        double from = Math.min(0, low);
        double most = Math.max(0, high);
        double to = most * share(share -> of(from, most * share).error(some));
        return of(from * share(share -> of(from * share, to).error(some)), to);
    }

    private static double share(DoubleUnaryOperator error) {
        double best = 1;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < TRIED; i++) {
            double share = 1 - (1 - LEAST_SHARE) * i / (TRIED - 1);
            double found = error.applyAsDouble(share);
            if (found < least) {
                least = found;
                best = share;
            }
        }
        return best;
    }

    private double error(float[] values) {
        double sum = 0;
        for (float value : values) {
            float level = (float) Math.rint(value / scale) + zeroPoint;
            float rounded = (Math.max(0, Math.min(LEVELS, level)) - zeroPoint) * scale;
            sum += (rounded - value) * (rounded - value);
        }
        return sum;
    }
}
