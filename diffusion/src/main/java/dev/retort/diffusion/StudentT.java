package dev.retort.diffusion;

/** Student's t distribution by the incomplete beta function (Lentz's continued fraction), and its inverse by bisection. */
final class StudentT {
    private static final double[] LANCZOS = {
        0.99999999999980993,
        676.5203681218851,
        -1259.1392167224028,
        771.32342877765313,
        -176.61502916214059,
        12.507343278686905,
        -0.13857109526572012,
        9.9843695780195716e-6,
        1.5056327351493116e-7
    };
    private static final int FRACTIONS = 10_000;

    private StudentT() {}

    /** P(T <= t) for {@code degrees} > 0 degrees of freedom. */
    static double share(double t, double degrees) {
        double tail = tail(Math.abs(t), degrees);
        return t < 0 ? tail : 1 - tail;
    }

    /** The t with P(T <= t) = share, for 0 < share < 1; infinite where it is beyond the range of doubles. */
    static double quantile(double share, double degrees) {
        double tail = Math.min(share, 1 - share);
        // t = sinh(s): evenly fine near 0 and far out, where few degrees of freedom reach.
        double low = 0;
        double high = 700;
        while (true) {
            double middle = (low + high) / 2;
            if (middle <= low || middle >= high) {
                double t = StrictMath.sinh(low);
                return share < 0.5 ? -t : t;
            }
            if (tail(StrictMath.sinh(middle), degrees) > tail) {
                low = middle;
            } else {
                high = middle;
            }
        }
    }

    private static double tail(double t, double degrees) {
        if (Double.isInfinite(t)) {
            return 0;
        }
        // P(T > t) = I_x(degrees/2, 1/2) / 2 at x = degrees / (degrees + t^2).
        double x = t > 1e150 ? degrees / t / t : degrees / (degrees + t * t);
        double y = t > 1e150 ? 1 : t * t / (degrees + t * t);
        double a = degrees / 2;
        return x < (a + 1) / (a + 2.5) ? beta(x, y, a, 0.5) / 2 : (1 - beta(y, x, 0.5, a)) / 2;
    }

    /** I_x(a, b) where its continued fraction converges fast; y = 1 - x. */
    private static double beta(double x, double y, double a, double b) {
        if (x == 0) {
            return 0;
        }
        double front = StrictMath.exp(
                logGamma(a + b) - logGamma(a) - logGamma(b) + a * StrictMath.log(x) + b * StrictMath.log(y));
        double c = 1;
        double d = 1 / (1 - (a + b) * x / (a + 1));
        double fraction = d;
        for (int m = 1; m < FRACTIONS; m++) {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / (1 + even * d);
            c = 1 + even / c;
            fraction *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / (1 + odd * d);
            c = 1 + odd / c;
            fraction *= d * c;
            if (Math.abs(d * c - 1) < 1e-16) {
                break;
            }
        }
        return front * fraction / a;
    }

    /** ln Gamma(z) for z > 0 (Lanczos 1964, g = 7). */
    private static double logGamma(double z) {
        if (z < 0.5) {
            return StrictMath.log(Math.PI / StrictMath.sin(Math.PI * z)) - logGamma(1 - z);
        }
        double w = z - 1;
        double sum = LANCZOS[0];
        for (int k = 1; k < LANCZOS.length; k++) {
            sum += LANCZOS[k] / (w + k);
        }
        double base = w + 7.5;
        return 0.5 * StrictMath.log(2 * Math.PI) + (w + 0.5) * StrictMath.log(base) - base + StrictMath.log(sum);
    }
}
