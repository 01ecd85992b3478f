package dev.retort.torch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Arithmetic on the first {@code n} values of arrays, in loops that Java's compiler turns into vector instructions: counted,
 * without branches, over arrays that do not overlap unless they are the same.
 */
final class FloatMath {
    private static final float ROOT_2_BY_PI = 0.7978845608f;
    private static final float CUBIC = 0.044715f;
    /** From here on tanh is 1 in fp32. */
    private static final float ONE = 7.9053111f;

    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** e to this is the smallest normal number. */
    private static final float LEAST_EXPONENT = -87.33654f;
    /** Added to a number it leaves the whole part in the lowest bits. */
    private static final float TO_WHOLE = 0x1.8p23f;

    private static final int TO_WHOLE_BITS = Float.floatToRawIntBits(TO_WHOLE);
    private static final int EXPONENT_BIAS = 127;
    private static final int MANTISSA_BITS = 23;

    private FloatMath() {}

    /**
     * tanh in place: an odd polynomial of degree 13 by an even one of degree 6, the minimax coefficients in common use
     * (Eigen, XLA); absolute error below 5e-7.
     */
    private static void tanh(float[] x, int n) {
        for (int i = 0; i < n; i++) {
            float v = Math.min(ONE, Math.max(-ONE, x[i]));
            float s = v * v;
            float p = -2.76076847742355e-16f * s + 2.00018790482477e-13f;
            p = p * s - 8.60467152213735e-11f;
            p = p * s + 5.12229709037114e-08f;
            p = p * s + 1.48572235717979e-05f;
            p = p * s + 6.37261928875436e-04f;
            p = p * s + 4.89352455891786e-03f;
            float q = 1.19825839466702e-06f * s + 1.18534705686654e-04f;
            q = q * s + 2.26843463243900e-03f;
            q = q * s + 4.89352518554385e-03f;
            x[i] = v * p / q;
        }
    }

    /**
     * Rounds to whole numbers from -127 to 127 of the largest magnitude / 127, halves to even, and adds 128 to each.
     *
     * @param x is overwritten
     * @param q gets unsigned bytes
     * @return the unit; 1 where all are zero
     */
    static float toBytes(float[] x, byte[] q, int n) {
        float largest = 0;
        for (int i = 0; i < n; i++) {
            largest = Math.max(largest, Math.abs(x[i]));
        }
        float scale = largest > 0 ? largest / Byte.MAX_VALUE : 1;
        float by = 1 / scale;
        for (int i = 0; i < n; i++) {
            // in this range adding and taking away leaves a whole number
            float v = Math.min(Byte.MAX_VALUE, Math.max(-Byte.MAX_VALUE, x[i] * by));
            x[i] = v + TO_WHOLE;
        }
        for (int i = 0; i < n; i++) {
            q[i] = (byte) (Float.floatToRawIntBits(x[i]) - TO_WHOLE_BITS - Byte.MIN_VALUE);
        }
        return scale;
    }

    /** y ← gelu(x) with the tanh approximation: x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2. */
    static void geluTanh(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            float v = x[i];
            y[i] = ROOT_2_BY_PI * v * (1 + CUBIC * v * v);
        }
        tanh(y, n);
        for (int i = 0; i < n; i++) {
            y[i] = 0.5f * x[i] * (1 + y[i]);
        }
    }

    /** g ← g·gelu'(x); t is overwritten. */
    static void geluTanhGradient(float[] x, float[] g, float[] t, int n) {
        for (int i = 0; i < n; i++) {
            float v = x[i];
            t[i] = ROOT_2_BY_PI * v * (1 + CUBIC * v * v);
        }
        tanh(t, n);
        for (int i = 0; i < n; i++) {
            float v = x[i];
            float inner = ROOT_2_BY_PI * (1 + 3 * CUBIC * v * v);
            g[i] = g[i] * 0.5f * (1 + t[i] + v * (1 - t[i] * t[i]) * inner);
        }
    }

    /**
     * x ← eˣ for x ≤ 0: 2ᵏ·e^f with f = x − k·ln 2, |f| ≤ ln 2 / 2, and a polynomial of degree 6; relative error below 3e-7.
     * What is below the smallest normal number becomes that.
     */
    static void exp(float[] x, int n, Bits scratch) {
        float[] shifted = scratch.floats;
        int[] bits = scratch.ints;
        for (int i = 0; i < n; i++) {
            x[i] = Math.max(LEAST_EXPONENT, x[i]);
            shifted[i] = x[i] * LOG2_E + TO_WHOLE;
        }
        scratch.toInts(n);
        for (int i = 0; i < n; i++) {
            bits[i] = bits[i] - TO_WHOLE_BITS + EXPONENT_BIAS << MANTISSA_BITS;
        }
        for (int i = 0; i < n; i++) {
            float k = shifted[i] - TO_WHOLE;
            float f = x[i] - k * LN2_HIGH - k * LN2_LOW;
            float p = 1 / 720f * f + 1 / 120f;
            p = p * f + 1 / 24f;
            p = p * f + 1 / 6f;
            p = p * f + 0.5f;
            x[i] = (p * f + 1) * f + 1;
        }
        scratch.toFloats(n);
        multiply(x, scratch.floats, n);
    }

    /** Softmax of {@code rows} rows of {@code width} values each, in place. */
    static void softmax(float[] x, int rows, int width, Bits scratch) {
        for (int row = 0; row < rows; row++) {
            int from = row * width;
            float most = x[from];
            for (int i = from + 1; i < from + width; i++) {
                most = Math.max(most, x[i]);
            }
            for (int i = from; i < from + width; i++) {
                x[i] -= most;
            }
        }
        exp(x, rows * width, scratch);
        for (int row = 0; row < rows; row++) {
            int from = row * width;
            float factor = 1 / sum(x, from, width);
            for (int i = from; i < from + width; i++) {
                x[i] *= factor;
            }
        }
    }

    /** Floats seen as their bits and back: Java's compiler reinterprets one at a time only, memory any number. */
    static final class Bits {
        private final float[] floats;
        private final int[] ints;
        private final FloatBuffer asFloats;
        private final IntBuffer asInts;

        Bits(int most) {
            floats = new float[most];
            ints = new int[most];
            ByteBuffer memory = ByteBuffer.allocateDirect(most * Float.BYTES).order(ByteOrder.nativeOrder());
            asFloats = memory.asFloatBuffer();
            asInts = memory.asIntBuffer();
        }

        private void toInts(int n) {
            asFloats.put(0, floats, 0, n);
            asInts.get(0, ints, 0, n);
        }

        private void toFloats(int n) {
            asInts.put(0, ints, 0, n);
            asFloats.get(0, floats, 0, n);
        }
    }

    /** The sum, in eight sums side by side. */
    static float sum(float[] x, int n) {
        return sum(x, 0, n);
    }

    private static float sum(float[] x, int from, int n) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        float e = 0;
        float f = 0;
        float g = 0;
        float h = 0;
        int i = from;
        for (; i <= from + n - 8; i += 8) {
            a += x[i];
            b += x[i + 1];
            c += x[i + 2];
            d += x[i + 3];
            e += x[i + 4];
            f += x[i + 5];
            g += x[i + 6];
            h += x[i + 7];
        }
        for (; i < from + n; i++) {
            a += x[i];
        }
        return a + e + (b + f) + (c + g + (d + h));
    }

    /** Σ x·y; t is overwritten. */
    static float dot(float[] x, float[] y, float[] t, int n) {
        for (int i = 0; i < n; i++) {
            t[i] = x[i] * y[i];
        }
        return sum(t, n);
    }

    /** x ← x − y. */
    static void subtract(float[] x, float y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] -= y;
        }
    }

    /** x ← scale·x·factor + shift. */
    static void affine(float[] x, float scale, float[] factor, float[] shift, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = scale * x[i] * factor[i] + shift[i];
        }
    }

    /** x ← x·y. */
    static void multiply(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            x[i] *= y[i];
        }
    }
}
