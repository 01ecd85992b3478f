package dev.retort.diffusion.step;

/**
 * {@link TrigTangent} for a network that says the velocity u of a flow, without leaving the flow: the arc's time is where sigma / alpha is the same, and its F is length u + what does
 * not depend on the network. With V the velocity along the path (a teacher's, or noise - x0 of the pair) the tangent is g = fromGap (V - u) + fromDerivative du/dt, the derivative along
 * (V, 1) in (x, t), and the loss pulls length u towards length u + g, normalised. It is 0 where u is the mean velocity down to the clean end of a path that V leads.
 *
 * @param fromGap the factor before V - u
 * @param fromDerivative the factor before du/dt
 * @param length what u is multiplied with to be part of F: that of (alpha, sigma / sigma_data)
 */
public record FlowTangent(double fromGap, double fromDerivative, double length) {

    /**
     * At a time.
     *
     * @param t part of the path, 0 clean, 1 noise
     * @param sigmaData the standard deviation of the data
     * @param warmUp 0..1, see {@link Tangents#warmUp}
     */
    public static FlowTangent at(double t, double sigmaData, double warmUp) {
        double alpha = 1 - t;
        double length = Math.sqrt(alpha * alpha + t * t / (sigmaData * sigmaData));
        double first = sigmaData * alpha * alpha / length;
        double moving = warmUp * sigmaData * alpha * length;
        return new FlowTangent((1 - warmUp) * first + moving, -moving * t, length);
    }
}
