package dev.retort.diffusion;

/**
 * The Gaussian q(x_s | x_t, x0) between a noisier point t and a cleaner point s (Ho et al. 2020, eq. 6 and 7, for any alpha and sigma): mean =
 * meanFromX0 * x0 + meanFromState * x_t. On neighbouring entries of a table it gives the table's own beta and beta tilde; on a respaced chain those of the chain.
 *
 * @param meanFromX0 the factor before x0
 * @param meanFromState the factor before x_t
 * @param beta the variance of the forward step s to t (beta_t)
 * @param variance the variance of the posterior (beta tilde), 0 where s is clean
 */
public record GaussianPosterior(double meanFromX0, double meanFromState, double beta, double variance) {

    /** Between two points of a grid. */
    public GaussianPosterior(TimeGrid.Point t, TimeGrid.Point s) {
        this(t.alpha() / s.alpha(), s, t.sigma() * t.sigma());
    }

    private GaussianPosterior(double scale, TimeGrid.Point s, double varianceT) {
        this(scale, s, varianceT, varianceT - scale * scale * s.sigma() * s.sigma());
    }

    private GaussianPosterior(double scale, TimeGrid.Point s, double varianceT, double beta) {
        this(
                s.alpha() * beta / varianceT,
                scale * s.sigma() * s.sigma() / varianceT,
                beta,
                beta * s.sigma() * s.sigma() / varianceT);
    }

    /** ln of a step's posterior variance; where that is 0, at the clean end of a chain, ln of the next noisier step's. */
    public static double clippedLogVariance(GaussianPosterior step, GaussianPosterior noisier) {
        return StrictMath.log(step.variance() > 0 ? step.variance() : noisier.variance());
    }
}
