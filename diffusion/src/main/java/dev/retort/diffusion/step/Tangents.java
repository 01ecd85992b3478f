package dev.retort.diffusion.step;

/** What keeps losses calm whose target holds the derivative of the student itself (Lu and Song 2024, section 4). */
public final class Tangents {
    private Tangents() {}

    /**
     * The factor before the derivative's part: from 0 to 1, evenly.
     *
     * @param done how far a run is: its step, or the share that is done
     * @param length how long it grows, likewise; 10000 steps in the paper, 0 for never below 1
     */
    public static double warmUp(double done, double length) {
        return length == 0 ? 1 : Math.min(1, done / length);
    }

    /**
     * The factor that normalises a tangent: 1 / (norm / sqrt(elements) + constant).
     *
     * @param norm the Euclidean norm over a sample
     * @param elements how many the sample has, so that the constant means the same at every size; 1 leaves the norm as it is
     * @param constant 0.1 in the paper
     */
    public static double normalised(double norm, long elements, double constant) {
        return 1 / (norm * Math.sqrt(1.0 / elements) + constant);
    }

    /**
     * The adaptive weight of MeanFlow (Geng et al. 2025), itself without gradient: (sum + constant)^-power.
     *
     * @param sum the squared error over a sample (or the norm of a tangent)
     * @param constant 1e-3 to 1e-2
     * @param power 1, 0.75 or 0.5; 0 for the plain squared error
     */
    public static double adaptiveWeight(double sum, double constant, double power) {
        return StrictMath.pow(sum + constant, -power);
    }
}
