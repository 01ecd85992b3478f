package dev.retort.diffusion;

/**
 * The inverse of the standard normal distribution function: Wichura 1988, algorithm AS 241 (PPND16), relative error about 1e-16.
 * One uniform number makes one normal number, so that the n-th normal number of a stream needs only the n-th uniform one.
 */
final class NormalQuantile {
    private static final double CENTRAL = 0.425;

    private NormalQuantile() {}

    /** The z with P(Z <= z) = p, for 0 < p < 1. */
    static double at(double p) {
        double q = p - 0.5;
        return Math.abs(q) <= CENTRAL ? q * central(0.180625 - q * q) : tail(p, q);
    }

    /**
     * The same for the first elements of an array, bit for bit.
     *
     * @param p probabilities
     * @param z room for as many doubles
     */
    static void at(double[] p, double[] z, int length, float[] out, int offset) {
        for (int i = 0; i < length; i++) {
            // Without a branch, for all, so that it becomes vector instructions: 85 % keep this value.
            double q = p[i] - 0.5;
            z[i] = q * central(0.180625 - q * q);
        }
        for (int i = 0; i < length; i++) {
            double q = p[i] - 0.5;
            out[offset + i] = (float) (Math.abs(q) <= CENTRAL ? z[i] : tail(p[i], q));
        }
    }

    private static double tail(double p, double q) {
        double tail = q < 0 ? p : 1 - p;
        double r = Math.sqrt(-log(tail));
        double z = r <= 5 ? middle(r - 1.6) : far(r - 5);
        return q < 0 ? -z : z;
    }

    /**
     * ln p for normal positive p, to 2e-16 of itself: p = 2^k m with m in sqrt(1/2)..sqrt(2), ln m = 2 atanh((m-1)/(m+1)) as a series. Plain arithmetic, because
     * the platform's strict logarithm is a call out of Java on some versions and takes longer than everything else here.
     */
    static double log(double p) {
        long bits = Double.doubleToRawLongBits(p);
        int k = (int) (bits >>> 52) - 1023;
        double m = Double.longBitsToDouble(bits & 0x000F_FFFF_FFFF_FFFFL | 0x3FF0_0000_0000_0000L);
        if (m > 1.4142135623730951) {
            m *= 0.5;
            k++;
        }
        double s = (m - 1) / (m + 1);
        double z = s * s;
        double high = 1. / 13 + z * (1. / 15 + z * (1. / 17 + z * (1. / 19 + z * (1. / 21))));
        double series = 1. / 3 + z * (1. / 5 + z * (1. / 7 + z * (1. / 9 + z * (1. / 11 + z * high))));
        return k * 0.6931471805599453 + 2 * (s + s * z * series);
    }

    private static double central(double r) {
        double top = (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                                                                                + 45921.953931549871457)
                                                                        * r
                                                                + 13731.693765509461125)
                                                        * r
                                                + 1971.5909503065514427)
                                        * r
                                + 133.14166789178437745)
                        * r
                + 3.387132872796366608);
        double bottom = (((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                                                                                + 21213.794301586595867)
                                                                        * r
                                                                + 5394.1960214247511077)
                                                        * r
                                                + 687.1870074920579083)
                                        * r
                                + 42.313330701600911252)
                        * r
                + 1.0);
        return top / bottom;
    }

    private static double middle(double r) {
        double top = (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                                                                                + 1.27045825245236838258)
                                                                        * r
                                                                + 3.64784832476320460504)
                                                        * r
                                                + 5.7694972214606914055)
                                        * r
                                + 4.6303378461565452959)
                        * r
                + 1.42343711074968357734);
        double bottom =
                (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                                                                                        + 0.14810397642748007459)
                                                                                * r
                                                                        + 0.68976733498510000455)
                                                                * r
                                                        + 1.6763848301838038494)
                                                * r
                                        + 2.05319162663775882187)
                                * r
                        + 1.0);
        return top / bottom;
    }

    private static double far(double r) {
        double top =
                (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                                                                                        + 0.026532189526576123093)
                                                                                * r
                                                                        + 0.29656057182850489123)
                                                                * r
                                                        + 1.7848265399172913358)
                                                * r
                                        + 5.4637849111641143699)
                                * r
                        + 6.6579046435011037772);
        double bottom =
                (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                                                                                        + 7.868691311456132591e-4)
                                                                                * r
                                                                        + 0.0148753612908506148525)
                                                                * r
                                                        + 0.13692988092273580531)
                                                * r
                                        + 0.59983220655588793769)
                                * r
                        + 1.0);
        return top / bottom;
    }
}
