package dev.retort.diffusion;

/**
 * The straight path of flow matching (Lipman et al. 2023, Liu et al. 2023): x = (1 - t) x0 + t eps, t = 0 clean, t = 1 noise. The network is given
 * t times {@code timeScale}.
 *
 * @param timeScale what the network is told at pure noise, 1 or (for networks that count to a thousand) 1000
 */
public record FlowLinear(double timeScale) implements NoiseSchedule {
    public FlowLinear {
        if (!(timeScale > 0) || Double.isInfinite(timeScale)) {
            throw new IllegalArgumentException("timeScale is " + timeScale + ", expected a finite number above 0");
        }
    }

    /** Times 0..1. */
    public FlowLinear() {
        this(1);
    }

    @Override
    public double alpha(double time) {
        return 1 - fraction(time);
    }

    @Override
    public double sigma(double time) {
        return fraction(time);
    }

    @Override
    public double noisiestTime() {
        return timeScale;
    }

    @Override
    public double cleanTime() {
        return 0;
    }

    @Override
    public double timeOfRatio(double noiseRatio) {
        return Double.isInfinite(noiseRatio) ? timeScale : timeScale * (noiseRatio / (1 + noiseRatio));
    }

    @Override
    public String name() {
        return timeScale == 1 ? "flow" : "flow(" + timeScale + ")";
    }

    private double fraction(double time) {
        if (!(time >= 0 && time <= timeScale)) {
            throw new IllegalArgumentException(
                    "time is " + time + ", expected 0.." + timeScale + " for the schedule " + name());
        }
        return time / timeScale;
    }
}
