package dev.retort.export;

import dev.retort.card.ModelCard;
import dev.retort.io.Dtype;

/**
 * How far a file's values may be from the network's.
 *
 * @param squares whether the root mean square of the differences is meant, over that of the values; else the largest difference over the largest value
 * @param most what rounding explains
 */
record Tolerance(boolean squares, double most) {
    /** Weights and arithmetic in fp32. */
    static final Tolerance FP32 = new Tolerance(false, 1e-4);
    /** Weights rounded to 11 bits. */
    private static final Tolerance FP16 = new Tolerance(false, 2e-2);
    /**
     * Activations rounded to 8 bits: what lies on the border of two levels falls to either side, which moves others over theirs. That is a sixth of what
     * rounding itself changes; single values are off by several times as much.
     */
    private static final Tolerance INT8 = new Tolerance(true, 1e-2);
    /** The same where what is not quantised is rounded too, which moves more over their border: no more than rounding to 8 bits itself changes. */
    private static final Tolerance INT8_FP16 = new Tolerance(true, 3e-2);

    /** That of a model written with matrices of a type. */
    static Tolerance of(ModelCard card, Dtype matrices) {
        if (card.quantization() != null) {
            return matrices == Dtype.F32 ? INT8 : INT8_FP16;
        }
        return matrices == Dtype.F32 ? FP32 : FP16;
    }

    /** The error of values; NaN where one of them is. */
    double error(float[] values, float[] expected) {
        return squares ? meanSquare(values, expected) : largest(values, expected);
    }

    private static double largest(float[] values, float[] expected) {
        double difference = 0;
        double largest = Float.MIN_NORMAL;
        for (int i = 0; i < values.length; i++) {
            difference = Math.max(difference, Math.abs((double) values[i] - expected[i]));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        return difference / largest;
    }

    private static double meanSquare(float[] values, float[] expected) {
        double difference = 0;
        double norm = Float.MIN_NORMAL;
        for (int i = 0; i < values.length; i++) {
            double one = (double) values[i] - expected[i];
            difference += one * one;
            norm += (double) expected[i] * expected[i];
        }
        return Math.sqrt(difference / norm);
    }

    /** Of what an error is a share, in words. */
    String unit() {
        return squares ? "root mean square of the values" : "largest value";
    }
}
