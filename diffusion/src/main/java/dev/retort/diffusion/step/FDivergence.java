package dev.retort.diffusion.step;

/**
 * How much more a sample counts in distribution matching where the data are denser than the student's samples (Xu et al. 2025, f-distill), for the divergence that is to be made small:
 * h of r = p_data / p_student.
 */
public enum FDivergence {
    /** 1: the plain gradient, which prefers few modes. */
    REVERSE_KL {
        @Override
        public double weight(double ratio) {
            return 1;
        }
    },
    /** r: brings modes back, and noise with them. */
    FORWARD_KL {
        @Override
        public double weight(double ratio) {
            return ratio;
        }
    },
    /** 1 - 1/(1 + r). */
    JENSEN_SHANNON {
        @Override
        public double weight(double ratio) {
            return 1 - 1 / (1 + ratio);
        }
    },
    /** 1/(1 + r), the softened reverse KL. */
    SOFTENED_REVERSE_KL {
        @Override
        public double weight(double ratio) {
            return 1 / (1 + ratio);
        }
    },
    /** 1/r. */
    NEYMAN {
        @Override
        public double weight(double ratio) {
            return 1 / ratio;
        }
    },
    /** sqrt(r). */
    SQUARED_HELLINGER {
        @Override
        public double weight(double ratio) {
            return Math.sqrt(ratio);
        }
    },
    /** 1 + r. */
    JEFFREYS {
        @Override
        public double weight(double ratio) {
            return 1 + ratio;
        }
    };

    private static final double LEAST = 1e-6;

    /** h at a density ratio above 0. */
    public abstract double weight(double ratio);

    /** h divided by that where both are equally dense: the weight of a sample by itself, whatever others there are. */
    public double relative(double ratio) {
        return weight(ratio) / weight(1);
    }

    /** h of the samples of a batch, divided by their mean, so that the step of the student keeps its size. */
    public double[] weights(double[] ratios) {
        double[] weights = new double[ratios.length];
        double mean = 0;
        for (int i = 0; i < ratios.length; i++) {
            weights[i] = weight(ratios[i]);
            mean += weights[i] / ratios.length;
        }
        for (int i = 0; i < ratios.length; i++) {
            weights[i] /= mean + LEAST;
        }
        return weights;
    }
}
