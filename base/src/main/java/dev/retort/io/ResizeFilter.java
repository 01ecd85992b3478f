package dev.retort.io;

/** The interpolation kernels of Pillow, stretched by the reduction factor when a picture shrinks (antialiasing). */
public enum ResizeFilter {
    BOX(0.5) {
        @Override
        double at(double x) {
            return x > -0.5 && x <= 0.5 ? 1 : 0;
        }
    },
    BILINEAR(1) {
        @Override
        double at(double x) {
            return Math.max(0, 1 - Math.abs(x));
        }
    },
    /** Keys' cubic with a = -1/2. */
    BICUBIC(2) {
        @Override
        double at(double x) {
            double a = -0.5;
            double d = Math.abs(x);
            if (d < 1) {
                return ((a + 2) * d - (a + 3)) * d * d + 1;
            }
            return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
        }
    },
    /** Sinc windowed by a sinc three times as wide. */
    LANCZOS(3) {
        @Override
        double at(double x) {
            return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
        }
    };

    private final double support;

    ResizeFilter(double support) {
        this.support = support;
    }

    abstract double at(double x);

    /**
     * The weights of one axis: output {@code i} is the sum over j of {@code weights[i][j]} times input
     * {@code first[i] + j}.
     */
    record Weights(int[] first, double[][] weights) {}

    Weights weights(int from, int to) {
        double scale = (double) from / to;
        double stretch = Math.max(scale, 1);
        double reach = support * stretch;
        int[] first = new int[to];
        double[][] weights = new double[to][];
        for (int i = 0; i < to; i++) {
            double centre = (i + 0.5) * scale;
            first[i] = Math.max(0, (int) (centre - reach + 0.5));
            int end = Math.min(from, (int) (centre + reach + 0.5));
            double[] row = new double[end - first[i]];
            double sum = 0;
            for (int j = 0; j < row.length; j++) {
                row[j] = at((j + first[i] - centre + 0.5) * (1 / stretch));
                sum += row[j];
            }
            for (int j = 0; j < row.length && sum != 0; j++) {
                row[j] /= sum;
            }
            weights[i] = row;
        }
        return new Weights(first, weights);
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }
}
