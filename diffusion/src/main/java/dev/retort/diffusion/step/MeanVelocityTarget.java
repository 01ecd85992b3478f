package dev.retort.diffusion.step;

/**
 * The target of MeanFlow (Geng et al. 2025) for a network u(x, t, r) on a straight path: fromVelocity v + fromDerivative du/dt, the derivative taken along (v, 1, 0) in (x, t, r).
 *
 * @param fromVelocity 1
 * @param fromDerivative -(t - r), times the warm-up
 */
public record MeanVelocityTarget(double fromVelocity, double fromDerivative) {

    /**
     * Between two times, as parts of the path: 0 clean, 1 noise.
     *
     * @param t where the state is
     * @param r where it is to land, at most t
     * @param warmUp 0..1, see {@link Tangents#warmUp}; 1 in the paper
     */
    public static MeanVelocityTarget between(double t, double r, double warmUp) {
        return new MeanVelocityTarget(1, -warmUp * (t - r));
    }

    /**
     * The velocity with guidance in it: fromPair (eps - x0) + fromUnconditional u(x, t, t) + fromConditional u(x, t, t | c), the last two being the student's own, without
     * gradient.
     *
     * @param fromPair the factor before the velocity of the pair
     * @param fromUnconditional the factor before the student's without a condition
     * @param fromConditional the factor before the student's with it
     */
    public record Guided(double fromPair, double fromUnconditional, double fromConditional) {

        /**
         * For a strength; the scale in effect is scale / (1 - mixture).
         *
         * @param scale omega; 1 with mixture 0 for no guidance
         * @param mixture kappa, 0 to leave the conditional part out
         */
        public static Guided of(double scale, double mixture) {
            return new Guided(scale, 1 - scale - mixture, mixture);
        }
    }
}
