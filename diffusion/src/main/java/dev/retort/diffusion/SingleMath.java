package dev.retort.diffusion;

/**
 * Logarithm, sine and cosine in single precision by the polynomials of the Cephes library (Moshier 1992), with fused multiplications where
 * PyTorch's vector loops for AVX2 have them, so that each result has the same bits as theirs.
 */
final class SingleMath {
    private static final float SQRT_HALF = 0.70710678f;
    private static final float LN_2_LOW = -2.12194440e-4f;
    private static final float LN_2_HIGH = 0.693359375f;
    private static final float[] LOG = {
        7.0376836292e-2f,
        -1.1514610310e-1f,
        1.1676998740e-1f,
        -1.2420140846e-1f,
        1.4249322787e-1f,
        -1.6668057665e-1f,
        2.0000714765e-1f,
        -2.4999993993e-1f,
        3.3333331174e-1f
    };

    private static final float FOUR_BY_PI = 1.27323954473516f;
    private static final float[] QUARTER_PI = {0.78515625f, 2.4187564849853515625e-4f, 3.77489497744594108e-8f};
    private static final float[] COS = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
    private static final float[] SIN = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};

    private SingleMath() {}

    /** ln x of a normal number above 0. */
    static float log(float value) {
        int bits = Float.floatToRawIntBits(value);
        float e = (bits >>> 23) - 126;
        float mantissa = Float.intBitsToFloat(bits & 0x007fffff | 0x3f000000); // 0.5 to 1
        boolean small = mantissa < SQRT_HALF;
        float x = mantissa - 1 + (small ? mantissa : 0);
        e -= small ? 1 : 0;
        float z = x * x;
        float y = Math.fma(polynomial(LOG, x) * x, z, e * LN_2_LOW);
        y -= 0.5f * z;
        return Math.fma(e, LN_2_HIGH, x + y);
    }

    /** sin x for x from 0 to some hundreds. */
    static float sin(float value) {
        int octant = octant(value);
        float x = remainder(value, octant);
        float sine = (octant & 2) == 0 ? nearSin(x) : nearCos(x);
        return (octant & 4) == 0 ? sine : -sine;
    }

    /** cos x for x from 0 to some hundreds. */
    static float cos(float value) {
        int octant = octant(value);
        float x = remainder(value, octant);
        float cosine = (octant & 2) == 0 ? nearCos(x) : nearSin(x);
        return (octant + 2 & 4) == 0 ? cosine : -cosine;
    }

    /** The even multiple of pi/4 next to x. */
    private static int octant(float x) {
        return (int) (x * FOUR_BY_PI) + 1 & ~1;
    }

    private static float remainder(float x, int octant) {
        float rest = x;
        for (float part : QUARTER_PI) {
            rest = Math.fma(octant, -part, rest);
        }
        return rest;
    }

    private static float nearCos(float x) {
        float z = x * x;
        return Math.fma(polynomial(COS, z) * z, z, -0.5f * z) + 1;
    }

    private static float nearSin(float x) {
        float z = x * x;
        return Math.fma(polynomial(SIN, z) * z, x, x);
    }

    private static float polynomial(float[] coefficients, float x) {
        float sum = coefficients[0];
        for (int i = 1; i < coefficients.length; i++) {
            sum = Math.fma(sum, x, coefficients[i]);
        }
        return sum;
    }
}
