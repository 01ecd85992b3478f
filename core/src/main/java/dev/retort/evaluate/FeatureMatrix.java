package dev.retort.evaluate;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Feature vectors of n images, one row each, in double precision: all metrics compute from these. */
public final class FeatureMatrix {
    private final double[] values;
    private final int rows;
    private final int dimension;

    private FeatureMatrix(double[] values, int rows, int dimension) {
        this.values = values;
        this.rows = rows;
        this.dimension = dimension;
    }

    /** The rows as they come out of a network. */
    public static FeatureMatrix of(float[][] rows) {
        double[] values = allocate(rows.length, rows.length == 0 ? 0 : rows[0].length);
        int dimension = rows.length == 0 ? 0 : rows[0].length;
        for (int i = 0; i < rows.length; i++) {
            requireLength(i, rows[i].length, dimension);
            for (int k = 0; k < dimension; k++) {
                values[i * dimension + k] = rows[i][k];
            }
        }
        return new FeatureMatrix(values, rows.length, dimension);
    }

    /** The rows in full precision. */
    public static FeatureMatrix of(double[][] rows) {
        int dimension = rows.length == 0 ? 0 : rows[0].length;
        double[] values = allocate(rows.length, dimension);
        for (int i = 0; i < rows.length; i++) {
            requireLength(i, rows[i].length, dimension);
            System.arraycopy(rows[i], 0, values, i * dimension, dimension);
        }
        return new FeatureMatrix(values, rows.length, dimension);
    }

    /** All rows of the parts, in order. */
    public static FeatureMatrix join(List<FeatureMatrix> parts) {
        int rows = parts.stream().mapToInt(FeatureMatrix::rows).sum();
        int dimension = parts.isEmpty() ? 0 : parts.get(0).dimension;
        double[] values = allocate(rows, dimension);
        int at = 0;
        for (FeatureMatrix part : parts) {
            requireLength(at / Math.max(1, dimension), part.dimension, dimension);
            System.arraycopy(part.values, 0, values, at, part.values.length);
            at += part.values.length;
        }
        return new FeatureMatrix(values, rows, dimension);
    }

    /** Number of images. */
    public int rows() {
        return rows;
    }

    /** Length of a feature vector. */
    public int dimension() {
        return dimension;
    }

    /** Component {@code k} of row {@code i}. */
    public double at(int i, int k) {
        return values[i * dimension + k];
    }

    /** The mean row, in two passes, so that values far from zero lose no digits. */
    double[] mean() {
        double[] mean = new double[dimension];
        for (int pass = 0; pass < 2; pass++) {
            double[] rest = new double[dimension];
            for (int i = 0; i < rows; i++) {
                for (int k = 0; k < dimension; k++) {
                    rest[k] += at(i, k) - mean[k];
                }
            }
            for (int k = 0; k < dimension; k++) {
                mean[k] += rest[k] / rows;
            }
        }
        return mean;
    }

    /** The rows less one row. */
    FeatureMatrix minus(double[] row) {
        requireLength(0, row.length, dimension);
        double[] moved = new double[values.length];
        for (int i = 0; i < moved.length; i++) {
            moved[i] = values[i] - row[i % dimension];
        }
        return new FeatureMatrix(moved, rows, dimension);
    }

    /** A copy of rows {@code from} to {@code to}, the latter excluded. */
    public FeatureMatrix slice(int from, int to) {
        if (from < 0 || to < from || to > rows) {
            throw new IndexOutOfBoundsException("rows " + from + " to " + to + " of " + rows);
        }
        return new FeatureMatrix(Arrays.copyOfRange(values, from * dimension, to * dimension), to - from, dimension);
    }

    /** The same rows in an order that depends on the seed alone. */
    public FeatureMatrix shuffled(long seed) {
        return sample(rows, new Random(seed));
    }

    /** That many different rows, drawn without replacement. */
    FeatureMatrix sample(int count, Random random) {
        int[] order = new int[rows];
        Arrays.setAll(order, i -> i);
        double[] drawn = new double[count * dimension];
        for (int i = 0; i < count; i++) {
            int other = i + random.nextInt(rows - i); // Fisher-Yates, stopped after count draws
            int row = order[other];
            order[other] = order[i];
            order[i] = row;
            System.arraycopy(values, row * dimension, drawn, i * dimension, dimension);
        }
        return new FeatureMatrix(drawn, count, dimension);
    }

    /** The values, row after row; not a copy. */
    double[] values() {
        return values;
    }

    private static double[] allocate(int rows, int dimension) {
        long size = (long) rows * dimension;
        if (size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    rows + " x " + dimension + " features do not fit one matrix; stream them into FeatureStatistics");
        }
        return new double[(int) size];
    }

    private static void requireLength(int row, int length, int dimension) {
        if (length != dimension) {
            throw new IllegalArgumentException("row " + row + ": " + length + " values, expected " + dimension);
        }
    }
}
