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
    private static final int TRIED = 9;
    private static final double LEAST_SHARE = 0.8;

    /** Of so much of a range, which holds zero. */
    private static InputRange of(double low, double high) {
        double scale = high > low ? (high - low) / LEVELS : 1;
        return new InputRange((float) scale, (int) Math.max(0, Math.min(LEVELS, Math.rint(-low / scale))));
    }

    /**
     * The range at which rounding some of the inputs changes the output least: first the share of the largest value, then that of the
     * smallest is searched.
     *
     * @param low the smallest value there was
     * @param high the largest
     * @param some rows of inputs
     * @param heed how much each input of a row weighs: the squared norm of the weights that it meets
     */
    static InputRange search(float low, float high, float[] some, float[] heed) {
        double from = Math.min(0, low);
        double most = Math.max(0, high);
        double to = most * share(share -> of(from, most * share).error(some, heed));
        return of(from * share(share -> of(from * share, to).error(some, heed)), to);
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

    private double error(float[] values, float[] heed) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            float level = (float) Math.rint(values[i] / scale) + zeroPoint;
            float rounded = (Math.max(0, Math.min(LEVELS, level)) - zeroPoint) * scale;
            sum += heed[i % heed.length] * (rounded - values[i]) * (rounded - values[i]);
        }
        return sum;
    }
}
