package dev.retort.io;

/** 16-bit floating point, both kinds, to and from 32 bits, and 8-bit to 32; rounding is to nearest, ties to even. */
public final class Half {
    private Half() {}

    /** IEEE 754 binary16 to float, exact. */
    public static float fromF16(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = bits >>> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0x1f) {
            return Float.intBitsToFloat(sign | 0x7f800000 | fraction << 13);
        }
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        return Float.intBitsToFloat(sign | exponent + 112 << 23 | fraction << 13);
    }

    /** Float to IEEE 754 binary16; beyond 65504 it becomes infinite. */
    public static short toF16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 65520f) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x1p-14f) {
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24));
        }
        int rounded = bits & 0x7fffffff;
        rounded += 0xfff + (rounded >>> 13 & 1);
        return (short) (sign | (rounded >>> 13) - (112 << 10));
    }

    /** bfloat16 to float, exact. */
    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** Float to bfloat16. */
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** 8-bit float with 5 exponent bits, an IEEE half without its last 8 bits, to float, exact. */
    public static float fromF8E5M2(byte bits) {
        return fromF16((short) (bits << 8));
    }

    /** 8-bit float with 4 exponent bits (bias 7, no infinity, NaN at 0x7f) to float, exact. */
    public static float fromF8E4M3(byte bits) {
        int exponent = bits >>> 3 & 0xf;
        int fraction = bits & 7;
        float magnitude;
        if (exponent == 0xf && fraction == 7) {
            return Float.NaN;
        }
        if (exponent == 0) {
            magnitude = fraction * 0x1p-9f;
        } else {
            magnitude = Float.intBitsToFloat(exponent + 120 << 23 | fraction << 20);
        }
        return bits < 0 ? -magnitude : magnitude;
    }
}
