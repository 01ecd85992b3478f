package dev.retort.evaluate;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Scalar products of all rows of one matrix with all rows of another, without ever holding them all. */
final class Pairwise {
    private static final int TILE = 128;

    /** Takes a stretch of the products of one row; all stretches of a row come in order from one thread. */
    interface Visitor {
        /**
         * @param i row of the first matrix
         * @param first row of the second matrix that {@code dots[0]} belongs to
         * @param dots x_i · y_(first + j) for j below {@code count}
         */
        void visit(int i, int first, double[] dots, int count);
    }

    private Pairwise() {}

    /** Visits every row of x with every row of y, rows of x in parallel; a visitor that keeps its state by row is safe. */
    static void visit(FeatureMatrix x, FeatureMatrix y, Visitor visitor) {
        int d = x.dimension();
        if (y.dimension() != d) {
            throw new IllegalArgumentException("features of " + d + " and of " + y.dimension() + " values a row");
        }
        int tiles = (y.rows() + TILE - 1) / TILE;
        double[][] transposed = new double[tiles][d * TILE]; // (d, TILE): the inner loop then runs over neighbours
        for (int j = 0; j < y.rows(); j++) {
            for (int k = 0; k < d; k++) {
                transposed[j / TILE][k * TILE + j % TILE] = y.at(j, k);
            }
        }
        int blocks = (x.rows() + TILE - 1) / TILE;
        IntStream.range(0, blocks).parallel().forEach(block -> {
            double[] dots = new double[TILE];
            int end = Math.min(x.rows(), (block + 1) * TILE);
            for (int tile = 0; tile < tiles; tile++) {
                int count = Math.min(TILE, y.rows() - tile * TILE);
                for (int i = block * TILE; i < end; i++) {
                    dots(x.values(), i * d, d, transposed[tile], dots);
                    visitor.visit(i, tile * TILE, dots, count);
                }
            }
        });
    }

    /** |x_i|² of every row, summed in the same order as the products, so that equal rows are exactly 0 apart. */
    static double[] squaredNorms(FeatureMatrix x) {
        double[] norms = new double[x.rows()];
        for (int i = 0; i < norms.length; i++) {
            for (int k = 0; k < x.dimension(); k++) {
                norms[i] += x.at(i, k) * x.at(i, k);
            }
        }
        return norms;
    }

    private static void dots(double[] x, int at, int d, double[] tile, double[] dots) {
        Arrays.fill(dots, 0);
        for (int k = 0; k < d; k++) {
            double xk = x[at + k];
            int row = k * TILE;
            for (int j = 0; j < TILE; j++) {
                dots[j] += xk * tile[row + j];
            }
        }
    }
}
