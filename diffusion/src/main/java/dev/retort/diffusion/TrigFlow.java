package dev.retort.diffusion;

/**
 * The arc of Lu and Song 2024 (sCM): x = cos t x0 + sin t sigmaData eps, t in 0..pi/2. Prediction V is its F.
 *
 * @param sigmaData the standard deviation of the data, 0.5 for pixels in -1..1, 1 for normalised latents
 */
public record TrigFlow(double sigmaData) implements NoiseSchedule {
    public TrigFlow {
        if (!(sigmaData > 0) || Double.isInfinite(sigmaData)) {
            throw new IllegalArgumentException("sigmaData is " + sigmaData + ", expected a finite number above 0");
        }
    }

    @Override
    public double alpha(double time) {
        check(time);
        // cos(pi/2) is 6e-17 in doubles; pure noise is meant.
        return time == Math.PI / 2 ? 0 : StrictMath.cos(time);
    }

    @Override
    public double sigma(double time) {
        check(time);
        return sigmaData * StrictMath.sin(time);
    }

    @Override
    public double noisiestTime() {
        return Math.PI / 2;
    }

    @Override
    public double cleanTime() {
        return 0;
    }

    @Override
    public double timeOfRatio(double noiseRatio) {
        return StrictMath.atan(noiseRatio / sigmaData);
    }

    @Override
    public String name() {
        return "trigflow(" + sigmaData + ")";
    }

    private void check(double time) {
        if (!(time >= 0 && time <= Math.PI / 2)) {
            throw new IllegalArgumentException("time is " + time + ", expected 0..pi/2 for the schedule " + name());
        }
    }
}
