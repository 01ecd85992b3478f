package dev.retort.diffusion;

/** How much fresh noise a step adds: next += scale * noise. */
public sealed interface NoiseScale {
    /** No noise is drawn. */
    NoiseScale NONE = new None();

    /** A fixed factor; 0 means no noise. */
    static NoiseScale fixed(double scale) {
        return scale == 0 ? NONE : new Fixed(scale);
    }

    /** So much times as much noise; none at 0. */
    NoiseScale times(double factor);

    /** No noise. */
    record None() implements NoiseScale {
        @Override
        public NoiseScale times(double factor) {
            return this;
        }
    }

    /**
     * The same factor for every element.
     *
     * @param scale above 0
     */
    record Fixed(double scale) implements NoiseScale {
        public Fixed {
            if (!(scale > 0) || Double.isInfinite(scale)) {
                throw new IllegalArgumentException("scale is " + scale + ", expected a finite number above 0");
            }
        }

        @Override
        public NoiseScale times(double factor) {
            return fixed(scale * factor);
        }
    }

    /**
     * The learned range of Nichol and Dhariwal 2021, eq. 15: exp(0.5 (f logBeta + (1-f) logBetaTilde)) with f = (v+1)/2 and v the second half of the
     * network's channels, element by element, not clamped.
     *
     * @param logBeta ln of the larger variance, beta
     * @param logBetaTilde ln of the smaller variance, the posterior's
     */
    record LearnedRange(double logBeta, double logBetaTilde) implements NoiseScale {
        public LearnedRange {
            if (!Double.isFinite(logBeta) || !Double.isFinite(logBetaTilde)) {
                throw new IllegalArgumentException(
                        "logBeta is " + logBeta + " and logBetaTilde " + logBetaTilde + "; expected finite numbers");
            }
        }

        @Override
        public NoiseScale times(double factor) {
            double more = 2 * StrictMath.log(factor); // on the logarithm of a variance
            return factor == 0 ? NONE : new LearnedRange(logBeta + more, logBetaTilde + more);
        }

        /** The factor for one element whose variance channel says v. */
        public double at(double v) {
            double f = (v + 1) / 2;
            return StrictMath.exp(0.5 * (f * logBeta + (1 - f) * logBetaTilde));
        }
    }
}
