package dev.retort.diffusion.step;

/** What a discriminator's logit costs, with derivatives: the discriminator on real and on generated samples, the generator on its own. */
public enum AdversarialLoss {
    /** Logistic and non-saturating (Goodfellow et al. 2014): softplus(-real) + softplus(fake); the generator softplus(-fake). */
    NON_SATURATING {
        @Override
        public double real(double logit) {
            return softplus(-logit);
        }

        @Override
        public double realSlope(double logit) {
            return -sigmoid(-logit);
        }

        @Override
        public double generator(double logit) {
            return softplus(-logit);
        }

        @Override
        public double generatorSlope(double logit) {
            return -sigmoid(-logit);
        }
    },

    /** Hinge (Lim and Ye 2017): max(0, 1 - real) + max(0, 1 + fake); the generator -fake. */
    HINGE {
        @Override
        public double real(double logit) {
            return Math.max(0, 1 - logit);
        }

        @Override
        public double realSlope(double logit) {
            return logit < 1 ? -1 : 0;
        }

        @Override
        public double generator(double logit) {
            return -logit;
        }

        @Override
        public double generatorSlope(double logit) {
            return -1;
        }
    };

    /** The discriminator's loss on a real sample. */
    public abstract double real(double logit);

    /** Its derivative. */
    public abstract double realSlope(double logit);

    /** The generator's loss on its own sample. */
    public abstract double generator(double logit);

    /** Its derivative. */
    public abstract double generatorSlope(double logit);

    /** The discriminator's loss on a generated sample. */
    public double fake(double logit) {
        return real(-logit);
    }

    /** Its derivative. */
    public double fakeSlope(double logit) {
        return -realSlope(-logit);
    }

    private static double softplus(double x) {
        return Math.max(x, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
    }

    private static double sigmoid(double x) {
        return x >= 0 ? 1 / (1 + StrictMath.exp(-x)) : StrictMath.exp(x) / (1 + StrictMath.exp(x));
    }
}
