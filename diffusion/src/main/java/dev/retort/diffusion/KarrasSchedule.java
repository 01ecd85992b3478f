package dev.retort.diffusion;

/**
 * Noise added to an unscaled sample, x = x0 + sigma eps (Karras et al. 2022, EDM). The time is sigma itself.
 *
 * @param sigmaMin the smallest noise level a grid visits, 0.002 in EDM
 * @param sigmaMax the largest, 80 in EDM
 */
public record KarrasSchedule(double sigmaMin, double sigmaMax) implements NoiseSchedule {
    public KarrasSchedule {
        if (!(sigmaMin > 0 && sigmaMax > sigmaMin) || Double.isInfinite(sigmaMax)) {
            throw new IllegalArgumentException(
                    "sigmaMin is " + sigmaMin + " and sigmaMax " + sigmaMax + "; expected 0 < sigmaMin < sigmaMax");
        }
    }

    /** EDM's range, 0.002 to 80. */
    public KarrasSchedule() {
        this(0.002, 80);
    }

    @Override
    public double alpha(double time) {
        return 1;
    }

    @Override
    public double sigma(double time) {
        if (!(time >= 0) || Double.isInfinite(time)) {
            throw new IllegalArgumentException("time is " + time + ", expected a noise level of at least 0");
        }
        return time;
    }

    @Override
    public double noisiestTime() {
        return sigmaMax;
    }

    @Override
    public double cleanTime() {
        return 0;
    }

    @Override
    public double timeOfRatio(double noiseRatio) {
        return noiseRatio;
    }

    @Override
    public String name() {
        return "karras(" + sigmaMin + "," + sigmaMax + ")";
    }
}
