package dev.retort.diffusion;

/**
 * What a network's output means, for a noised sample x = alpha x0 + sigma eps. Every quantity is a linear combination of two others;
 * the methods give its coefficients (distillation.md 1).
 */
public enum Prediction {
    /** The noise: output = eps. Says nothing about x0 where alpha = 0. */
    EPSILON {
        @Override
        public double x0FromState(double alpha, double sigma) {
            requireNonZero("alpha", alpha);
            return 1 / alpha;
        }

        @Override
        public double x0FromOutput(double alpha, double sigma) {
            requireNonZero("alpha", alpha);
            return -sigma / alpha;
        }

        @Override
        public double epsFromState(double alpha, double sigma) {
            return 0;
        }

        @Override
        public double epsFromOutput(double alpha, double sigma) {
            return 1;
        }

        @Override
        public double targetFromX0(double alpha, double sigma) {
            return 0;
        }

        @Override
        public double targetFromEps(double alpha, double sigma) {
            return 1;
        }
    },

    /** The clean sample: output = x0. Says nothing about eps where sigma = 0. */
    X0 {
        @Override
        public double x0FromState(double alpha, double sigma) {
            return 0;
        }

        @Override
        public double x0FromOutput(double alpha, double sigma) {
            return 1;
        }

        @Override
        public double epsFromState(double alpha, double sigma) {
            requireNonZero("sigma", sigma);
            return 1 / sigma;
        }

        @Override
        public double epsFromOutput(double alpha, double sigma) {
            requireNonZero("sigma", sigma);
            return -alpha / sigma;
        }

        @Override
        public double targetFromX0(double alpha, double sigma) {
            return 1;
        }

        @Override
        public double targetFromEps(double alpha, double sigma) {
            return 0;
        }
    },

    /**
     * The velocity of Salimans and Ho: output = alpha eps - sigma x0, and the F of TrigFlow with any sigma_d, whose factor before x0
     * is (1 - alpha^2) / sigma. Needs alpha <= 1.
     */
    V {
        @Override
        public double x0FromState(double alpha, double sigma) {
            return alpha;
        }

        @Override
        public double x0FromOutput(double alpha, double sigma) {
            return -sigma;
        }

        @Override
        public double epsFromState(double alpha, double sigma) {
            return conjugate(alpha, sigma);
        }

        @Override
        public double epsFromOutput(double alpha, double sigma) {
            return alpha;
        }

        @Override
        public double targetFromX0(double alpha, double sigma) {
            return -conjugate(alpha, sigma);
        }

        @Override
        public double targetFromEps(double alpha, double sigma) {
            return alpha;
        }

        /** The q with alpha^2 + sigma q = 1: sigma itself where the schedule preserves variance. */
        private double conjugate(double alpha, double sigma) {
            if (Math.abs(alpha * alpha + sigma * sigma - 1) < 1e-9) {
                return sigma;
            }
            requireNonZero("sigma", sigma);
            return (1 - alpha * alpha) / sigma;
        }
    },

    /** The velocity of the straight path (rectified flow): output = eps - x0. */
    FLOW {
        @Override
        public double x0FromState(double alpha, double sigma) {
            return 1 / (alpha + sigma);
        }

        @Override
        public double x0FromOutput(double alpha, double sigma) {
            return -sigma / (alpha + sigma);
        }

        @Override
        public double epsFromState(double alpha, double sigma) {
            return 1 / (alpha + sigma);
        }

        @Override
        public double epsFromOutput(double alpha, double sigma) {
            return alpha / (alpha + sigma);
        }

        @Override
        public double targetFromX0(double alpha, double sigma) {
            return -1;
        }

        @Override
        public double targetFromEps(double alpha, double sigma) {
            return 1;
        }
    };

    /** The a of x0 = a x + b output. */
    public abstract double x0FromState(double alpha, double sigma);

    /** The b of x0 = a x + b output. */
    public abstract double x0FromOutput(double alpha, double sigma);

    /** The c of eps = c x + d output. */
    public abstract double epsFromState(double alpha, double sigma);

    /** The d of eps = c x + d output. */
    public abstract double epsFromOutput(double alpha, double sigma);

    /** The p of target = p x0 + q eps, the output of a perfect network. */
    public abstract double targetFromX0(double alpha, double sigma);

    /** The q of target = p x0 + q eps. */
    public abstract double targetFromEps(double alpha, double sigma);

    /** The a of (this output) = a x + b (other's output), at the same x. */
    public double fromState(Prediction other, double alpha, double sigma) {
        double ofX0 = targetFromX0(alpha, sigma);
        double ofEps = targetFromEps(alpha, sigma);
        // What does not enter is not asked for: it may not be known there.
        return (ofX0 == 0 ? 0 : ofX0 * other.x0FromState(alpha, sigma))
                + (ofEps == 0 ? 0 : ofEps * other.epsFromState(alpha, sigma));
    }

    /** The b of (this output) = a x + b (other's output), at the same x. */
    public double fromOutput(Prediction other, double alpha, double sigma) {
        double ofX0 = targetFromX0(alpha, sigma);
        double ofEps = targetFromEps(alpha, sigma);
        return (ofX0 == 0 ? 0 : ofX0 * other.x0FromOutput(alpha, sigma))
                + (ofEps == 0 ? 0 : ofEps * other.epsFromOutput(alpha, sigma));
    }

    /** The factor m of mse(output) = m mse(x0) at the same sample, m = (d output / d x0)^2 at fixed x. */
    public double squaredErrorPerX0(double alpha, double sigma) {
        double factor = 1 / x0FromOutput(alpha, sigma);
        return factor * factor;
    }

    private static void requireNonZero(String name, double value) {
        if (value == 0) {
            throw new IllegalArgumentException(
                    name + " is 0, where this prediction cannot be converted; expected a time with " + name
                            + " above 0, or prediction V or FLOW");
        }
    }
}
