package dev.retort.diffusion;

/**
 * One term of the variational bound with a learned variance (Nichol and Dhariwal 2021): the numbers from which the "vb" loss of DiT is made. For every element, with the
 * network's x0 and variance channel v,
 *
 * <pre>
 *   mean   = meanFromX0 x0 + meanFromState x                 (of the model; of the truth with the true x0)
 *   logVar = f logBeta + (1 - f) logBetaTilde,  f = (v + 1)/2
 *   term   = KL(N(true mean, exp logBetaTilde) || N(mean, exp logVar)) / ln 2,  or at the first time the likelihood of 8-bit pixels
 * </pre>
 *
 * @param meanFromX0 the factor before x0 in the posterior's mean
 * @param meanFromState the factor before x
 * @param logBeta ln of the larger variance
 * @param logBetaTilde ln of the posterior's variance; at the first time, where it is 0, the value of the second
 * @param decoder whether this is the first time, whose term is a likelihood
 */
public record VariationalTerm(
        double meanFromX0, double meanFromState, double logBeta, double logBetaTilde, boolean decoder) {
    private static final double LN2 = StrictMath.log(2);

    /** The term of a time 0..T-1 of a table (T at least 2). */
    public static VariationalTerm at(DiscreteSchedule schedule, int time) {
        GaussianPosterior noisier = new GaussianPosterior(schedule.point(1), schedule.point(0));
        return of(new GaussianPosterior(schedule.point(time), schedule.point(time - 1)), noisier, time == 0);
    }

    /** The term of one step of a respaced chain that ends at the clean sample; steps count from the noisiest (0) on. */
    public static VariationalTerm at(TimeGrid grid, int step) {
        boolean last = step == grid.steps() - 1;
        int noisier = Math.max(step - 1, 0);
        return of(
                new GaussianPosterior(grid.from(step), grid.to(step)),
                new GaussianPosterior(grid.from(noisier), grid.to(noisier)),
                last);
    }

    private static VariationalTerm of(GaussianPosterior here, GaussianPosterior noisier, boolean decoder) {
        return new VariationalTerm(
                here.meanFromX0(),
                here.meanFromState(),
                StrictMath.log(here.beta()),
                GaussianPosterior.clippedLogVariance(here, noisier),
                decoder);
    }

    /** ln of the variance that a variance channel v means. */
    public double logVariance(double v) {
        double f = (v + 1) / 2;
        return f * logBeta + (1 - f) * logBetaTilde;
    }

    /** The term of one element, in bits. */
    public double bits(double trueX0, double predictedX0, double x, double v) {
        double mean = meanFromX0 * predictedX0 + meanFromState * x;
        if (decoder) {
            return -logLikelihood(trueX0, mean, logVariance(v) / 2) / LN2;
        }
        double trueMean = meanFromX0 * trueX0 + meanFromState * x;
        return normalKl(trueMean, logBetaTilde, mean, logVariance(v)) / LN2;
    }

    /** KL(N(m1, e^l1) || N(m2, e^l2)) in nats. */
    public static double normalKl(double mean1, double logVar1, double mean2, double logVar2) {
        double d = mean1 - mean2;
        return 0.5 * (logVar2 - logVar1 - 1 + StrictMath.exp(logVar1 - logVar2) + d * d * StrictMath.exp(-logVar2));
    }

    /**
     * ln of the probability that a normal number with this mean and ln deviation falls in the bin of an 8-bit level, x in -1..1 with bins of 2/255 and
     * open ends beyond 0.999; with the tanh approximation of the distribution function and a floor of 1e-12, as the loss was trained with.
     */
    public static double logLikelihood(double x, double mean, double logDeviation) {
        double inverse = StrictMath.exp(-logDeviation);
        double above = cdf((x - mean + 1. / 255) * inverse);
        double below = cdf((x - mean - 1. / 255) * inverse);
        double probability = x < -0.999 ? above : x > 0.999 ? 1 - below : above - below;
        return StrictMath.log(Math.max(probability, 1e-12));
    }

    private static double cdf(double z) {
        return 0.5 * (1 + StrictMath.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z)));
    }
}
