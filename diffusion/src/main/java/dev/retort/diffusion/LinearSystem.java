package dev.retort.diffusion;

/** Gaussian elimination with row exchange, for systems of a few unknowns. */
final class LinearSystem {
    private LinearSystem() {}

    /** The solution of n equations, each row being n coefficients and the right side. The rows are overwritten. */
    static double[] solve(double[][] rows) {
        int n = rows.length;
        for (int k = 0; k < n; k++) {
            int pivot = k;
            for (int i = k + 1; i < n; i++) {
                if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) {
                    pivot = i;
                }
            }
            double[] swap = rows[k];
            rows[k] = rows[pivot];
            rows[pivot] = swap;
            for (int i = k + 1; i < n; i++) {
                double factor = rows[i][k] / rows[k][k];
                for (int j = k; j <= n; j++) {
                    rows[i][j] -= factor * rows[k][j];
                }
            }
        }
        double[] x = new double[n];
        for (int i = n - 1; i >= 0; i--) {
            double sum = rows[i][n];
            for (int j = i + 1; j < n; j++) {
                sum -= rows[i][j] * x[j];
            }
            x[i] = sum / rows[i][i];
        }
        return x;
    }
}
