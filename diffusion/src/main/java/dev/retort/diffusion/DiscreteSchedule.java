package dev.retort.diffusion;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * A table of T noise levels, alphaBar[t] = prod (1 - beta), alpha = sqrt(alphaBar), sigma = sqrt(1 - alphaBar) (Ho et al. 2020). Time -1 is the
 * clean sample. Between two entries sigma/alpha is interpolated linearly, as samplers with fractional times expect.
 */
public final class DiscreteSchedule implements NoiseSchedule {
    private final String name;
    private final double[] alphaBar;
    private final double[] ratio;

    private DiscreteSchedule(String name, double[] alphaBar) {
        if (alphaBar.length == 0) {
            throw new IllegalArgumentException("the schedule " + name + " has no entry; expected at least 1 step");
        }
        for (int t = 0; t < alphaBar.length; t++) {
            double above = t == 0 ? 1 : alphaBar[t - 1];
            if (!(alphaBar[t] >= 0 && alphaBar[t] < above)) {
                throw new IllegalArgumentException("alphaBar[" + t + "] of the schedule " + name + " is " + alphaBar[t]
                        + "; expected at least 0 and below " + above);
            }
        }
        this.name = name;
        this.alphaBar = alphaBar;
        this.ratio = new double[alphaBar.length];
        Arrays.setAll(ratio, t -> Math.sqrt((1 - alphaBar[t]) / alphaBar[t]));
    }

    /** Betas on a straight line (DDPM, DiT: 1000, 1e-4, 0.02). */
    public static DiscreteSchedule linear(int steps, double betaStart, double betaEnd) {
        return ofBetas(
                "linear(" + steps + "," + betaStart + "," + betaEnd + ")",
                steps,
                t -> betaStart + (betaEnd - betaStart) * fraction(t, steps));
    }

    /** The schedule of DDPM and DiT: 1000 steps, betas 1e-4 to 0.02. */
    public static DiscreteSchedule linear() {
        return linear(1000, 1e-4, 0.02);
    }

    /** Square roots of betas on a straight line (latent diffusion: 1000, 0.00085, 0.012). */
    public static DiscreteSchedule scaledLinear(int steps, double betaStart, double betaEnd) {
        double low = Math.sqrt(betaStart);
        double high = Math.sqrt(betaEnd);
        return ofBetas("scaled-linear(" + steps + "," + betaStart + "," + betaEnd + ")", steps, t -> {
            double root = low + (high - low) * fraction(t, steps);
            return root * root;
        });
    }

    /** alphaBar = cos^2 ((t/T + 0.008) / 1.008 pi/2), each beta at most 0.999 (Nichol and Dhariwal 2021). */
    public static DiscreteSchedule cosine(int steps) {
        return ofBetas(
                "cosine(" + steps + ")",
                steps,
                t -> Math.min(1 - cosineBar(t + 1, steps) / cosineBar(t, steps), 0.999));
    }

    /** A schedule from its own betas, each in (0, 1]. */
    public static DiscreteSchedule ofBetas(String name, double[] betas) {
        return ofBetas(name, betas.length, t -> betas[t]);
    }

    /** A schedule from alphaBar itself, strictly falling. */
    public static DiscreteSchedule ofAlphaBar(String name, double[] alphaBar) {
        return new DiscreteSchedule(name, alphaBar.clone());
    }

    private static DiscreteSchedule ofBetas(String name, int steps, IntToDoubleFunction beta) {
        double[] alphaBar = new double[Math.max(steps, 0)];
        double product = 1;
        for (int t = 0; t < steps; t++) {
            product *= 1 - beta.applyAsDouble(t);
            alphaBar[t] = product;
        }
        return new DiscreteSchedule(name, alphaBar);
    }

    /**
     * The same schedule with pure noise at its last time (Lin et al. 2024, algorithm 1): sqrt(alphaBar) is shifted so that its last value is 0,
     * then scaled so that its first is unchanged. Needs prediction V, X0 or FLOW.
     */
    public DiscreteSchedule withZeroTerminalSnr() {
        double first = Math.sqrt(alphaBar[0]);
        double last = Math.sqrt(alphaBar[alphaBar.length - 1]);
        double[] bar = new double[alphaBar.length];
        for (int t = 0; t < bar.length; t++) {
            double root = (Math.sqrt(alphaBar[t]) - last) * first / (first - last);
            bar[t] = root * root;
        }
        return new DiscreteSchedule("zero-snr(" + name + ")", bar);
    }

    /**
     * The same schedule with alphaBar rounded to floats, as libraries hold it that compute their tables in single precision. It moves the smallest
     * noise level by about 1e-5 of itself; for exact parity with such a library.
     */
    public DiscreteSchedule inSinglePrecision() {
        return new DiscreteSchedule(
                "float32(" + name + ")",
                Arrays.stream(alphaBar).map(bar -> (float) bar).toArray());
    }

    /** The number of entries T. */
    public int steps() {
        return alphaBar.length;
    }

    /** alphaBar at an index -1..T-1, which is 1 at -1. */
    public double alphaBar(int index) {
        return index == -1 ? 1 : alphaBar[index];
    }

    /** beta at an index 0..T-1. */
    public double beta(int index) {
        return 1 - alphaBar(index) / alphaBar(index - 1);
    }

    @Override
    public double alpha(double time) {
        int index = index(time);
        if (index == time) {
            return Math.sqrt(alphaBar(index));
        }
        double r = between(time, index);
        return 1 / Math.sqrt(1 + r * r);
    }

    @Override
    public double sigma(double time) {
        int index = index(time);
        if (index == time) {
            return Math.sqrt(1 - alphaBar(index));
        }
        double r = between(time, index);
        return Double.isInfinite(r) ? 1 : r / Math.sqrt(1 + r * r);
    }

    @Override
    public double noisiestTime() {
        return alphaBar.length - 1;
    }

    @Override
    public double cleanTime() {
        return -1;
    }

    /** The time of a noise level, by linear interpolation in ln(sigma/alpha), within 0..T-1 (-1 for 0). */
    @Override
    public double timeOfRatio(double noiseRatio) {
        if (noiseRatio == 0) {
            return -1;
        }
        int low = Arrays.binarySearch(ratio, noiseRatio);
        if (low >= 0) {
            return low;
        }
        low = -low - 2;
        if (low < 0) {
            return 0;
        }
        if (low >= ratio.length - 1 || Double.isInfinite(ratio[low + 1])) {
            return low;
        }
        double bottom = StrictMath.log(ratio[low]);
        return low + (StrictMath.log(noiseRatio) - bottom) / (StrictMath.log(ratio[low + 1]) - bottom);
    }

    /** Exactly the given noise level, also where the time is only the nearest one. */
    @Override
    public TimeGrid.Point pointOfRatio(double noiseRatio) {
        double alpha = 1 / Math.sqrt(1 + noiseRatio * noiseRatio);
        return new TimeGrid.Point(timeOfRatio(noiseRatio), alpha, noiseRatio * alpha);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String toString() {
        return name;
    }

    private int index(double time) {
        if (!(time >= -1 && time <= alphaBar.length - 1)) {
            throw new IllegalArgumentException(
                    "time is " + time + ", expected -1.." + (alphaBar.length - 1) + " for the schedule " + name);
        }
        return (int) Math.floor(time);
    }

    private double between(double time, int index) {
        double low = index == -1 ? 0 : ratio[index];
        return low + (time - index) * (ratio[index + 1] - low);
    }

    private static double fraction(int t, int steps) {
        return steps == 1 ? 0 : (double) t / (steps - 1);
    }

    private static double cosineBar(int t, int steps) {
        double c = StrictMath.cos(((double) t / steps + 0.008) / 1.008 * Math.PI / 2);
        return c * c;
    }
}
