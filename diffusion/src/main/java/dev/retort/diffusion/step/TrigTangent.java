package dev.retort.diffusion.step;

/**
 * The tangent of a continuous-time consistency function on the arc of TrigFlow (Lu and Song 2024, eq. 6), f = cos t x - sin t sigma_data F(x / sigma_data, t): g = fromOutput
 * F + fromVelocity dx/dt + fromState x + fromDerivative D. Here D = cos t sin t dF/dt is the derivative of F along the path, for which the tangents of its two
 * inputs are scaled by cos t sin t before it is taken: {@link #alongState} dx/dt for x / sigma_data and {@link #alongTime} for t. The loss pulls F towards F + g, normalised.
 *
 * @param fromOutput the factor before F
 * @param fromVelocity the factor before dx/dt: a teacher's sigma_data F, or cos t noise - sin t x0 of the pair
 * @param fromState the factor before x
 * @param fromDerivative the factor before D
 * @param alongState what dx/dt is multiplied with to be the tangent of F's first input
 * @param alongTime the tangent of F's second input
 */
public record TrigTangent(
        double fromOutput,
        double fromVelocity,
        double fromState,
        double fromDerivative,
        double alongState,
        double alongTime) {

    /**
     * At a time.
     *
     * @param time 0..pi/2
     * @param sigmaData the standard deviation of the data
     * @param warmUp 0..1, see {@link Tangents#warmUp}
     */
    public static TrigTangent at(double time, double sigmaData, double warmUp) {
        double cos = StrictMath.cos(time);
        double sin = StrictMath.sin(time);
        return new TrigTangent(
                -cos * cos * sigmaData,
                cos * cos,
                -warmUp * cos * sin,
                -warmUp * sigmaData,
                cos * sin / sigmaData,
                cos * sin);
    }

    /**
     * The loss of a sample with its uncertainty w learned (Karras et al. 2024): weighted exp(-w) + w.
     *
     * @param weighted the squared error, weighted
     * @param logVariance w
     */
    public static double uncertain(double weighted, double logVariance) {
        return weighted * StrictMath.exp(-logVariance) + logVariance;
    }
}
