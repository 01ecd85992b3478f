package dev.retort.diffusion;

/**
 * The cosine schedule by log-SNR (Salimans and Ho 2022): lambda(t) = -2 ln tan(a t + b) for t in 0..1, from {@code logSnrMax} at 0 to {@code logSnrMin} at
 * 1; alpha^2 = sigmoid(lambda), sigma^2 = sigmoid(-lambda), which are cos^2 and sin^2 of a t + b.
 *
 * @param logSnrMin lambda at time 1, usually -20
 * @param logSnrMax lambda at time 0, usually 20
 */
public record CosineLogSnr(double logSnrMin, double logSnrMax) implements NoiseSchedule {
    public CosineLogSnr {
        if (!(logSnrMin < logSnrMax) || Double.isInfinite(logSnrMin) || Double.isInfinite(logSnrMax)) {
            throw new IllegalArgumentException("logSnrMin is " + logSnrMin + " and logSnrMax " + logSnrMax
                    + "; expected finite, logSnrMin below logSnrMax");
        }
    }

    /** The usual range, -20 to 20. */
    public CosineLogSnr() {
        this(-20, 20);
    }

    @Override
    public double alpha(double time) {
        return StrictMath.cos(angle(time));
    }

    @Override
    public double sigma(double time) {
        return StrictMath.sin(angle(time));
    }

    @Override
    public double noisiestTime() {
        return 1;
    }

    @Override
    public double cleanTime() {
        return 0;
    }

    @Override
    public double timeOfRatio(double noiseRatio) {
        double b = offset();
        double time = (StrictMath.atan(noiseRatio) - b) / slope(b);
        return Math.min(Math.max(time, 0), 1);
    }

    @Override
    public String name() {
        return "cosine-logsnr(" + logSnrMin + "," + logSnrMax + ")";
    }

    private double angle(double time) {
        if (!(time >= 0 && time <= 1)) {
            throw new IllegalArgumentException("time is " + time + ", expected 0..1 for the schedule " + name());
        }
        double b = offset();
        return slope(b) * time + b;
    }

    private double offset() {
        return StrictMath.atan(StrictMath.exp(-logSnrMax / 2));
    }

    private double slope(double offset) {
        return StrictMath.atan(StrictMath.exp(-logSnrMin / 2)) - offset;
    }
}
