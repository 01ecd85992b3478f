package dev.retort.evaluate;

import dev.retort.error.RetortException;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Fréchet distance of two Gaussians fitted to features (Heusel et al. 2017, eq. 6), squared as everybody prints it:
 * |mu1 - mu2|² + tr S1 + tr S2 - 2 tr (S1 S2)^½.
 *
 * <p>The last trace is the sum of the roots of the eigenvalues of A S2 A with A = S1^½, both from symmetric
 * decompositions: always real, equal to {@code sqrtm} to rounding for covariances of full rank. Nothing is clamped: equal
 * sets give a rounding error of either sign.
 *
 * @param meanTerm |mu1 - mu2|²
 * @param trace1 tr S1
 * @param trace2 tr S2
 * @param traceRoot tr (S1 S2)^½
 */
public record FrechetDistance(double meanTerm, double trace1, double trace2, double traceRoot) {
    /** What to do when there are not more images than dimensions, so that a covariance is singular. */
    public enum SmallSamples {
        /** Refuse, as the number would say more about n than about the images. */
        REFUSE,
        /** Compute all the same; the caller says so beside the number. */
        ALLOW
    }

    /** The distance. */
    public double value() {
        return meanTerm + trace1 + trace2 - 2 * traceRoot;
    }

    /** The distance between statistics of one space, each of more images than dimensions. */
    public static FrechetDistance between(FeatureStatistics a, FeatureStatistics b) {
        return between(a, b, SmallSamples.REFUSE);
    }

    /**
     * The distance between statistics of one space.
     *
     * @throws RetortException when extractor, weights or preprocessing differ, or n is too small and not allowed
     */
    public static FrechetDistance between(FeatureStatistics a, FeatureStatistics b, SmallSamples small) {
        a.space().requireSame(b.space());
        if (small == SmallSamples.REFUSE) {
            requireEnough(a);
            requireEnough(b);
        }
        int d = a.space().dimension();
        double meanTerm = 0;
        for (int i = 0; i < d; i++) {
            double difference = a.mean()[i] - b.mean()[i];
            meanTerm += difference * difference;
        }
        DMatrixRMaj root = symmetricRoot(matrix(a.covariance(), d));
        DMatrixRMaj half = new DMatrixRMaj(d, d);
        DMatrixRMaj product = new DMatrixRMaj(d, d);
        CommonOps_DDRM.mult(root, matrix(b.covariance(), d), half);
        CommonOps_DDRM.mult(half, root, product);
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < i; j++) { // rounding left it a little unsymmetric
                double value = (product.get(i, j) + product.get(j, i)) / 2;
                product.set(i, j, value);
                product.set(j, i, value);
            }
        }
        EigenDecomposition_F64<DMatrixRMaj> eigen = decompose(product, false);
        double traceRoot = 0;
        for (int i = 0; i < d; i++) {
            traceRoot += Math.sqrt(Math.max(eigen.getEigenvalue(i).getReal(), 0));
        }
        return new FrechetDistance(meanTerm, a.trace(), b.trace(), traceRoot);
    }

    /** V max(L, 0)^½ V^T of S = V L V^T. */
    private static DMatrixRMaj symmetricRoot(DMatrixRMaj covariance) {
        int d = covariance.numRows;
        EigenDecomposition_F64<DMatrixRMaj> eigen = decompose(covariance, true);
        DMatrixRMaj scaled = new DMatrixRMaj(d, d); // rows are eigenvectors times the fourth root of their eigenvalue
        for (int i = 0; i < d; i++) {
            double scale = Math.sqrt(Math.sqrt(Math.max(eigen.getEigenvalue(i).getReal(), 0)));
            DMatrixRMaj vector = eigen.getEigenVector(i);
            for (int k = 0; k < d; k++) {
                scaled.set(i, k, scale * vector.get(k));
            }
        }
        DMatrixRMaj root = new DMatrixRMaj(d, d);
        CommonOps_DDRM.multTransA(scaled, scaled, root);
        return root;
    }

    private static EigenDecomposition_F64<DMatrixRMaj> decompose(DMatrixRMaj symmetric, boolean vectors) {
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(symmetric.numRows, vectors, true);
        if (!eigen.decompose(symmetric.copy())) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    "The covariance of the features cannot be decomposed, most likely because features are not finite; "
                            + "check the samples.");
        }
        return eigen;
    }

    private static DMatrixRMaj matrix(double[] values, int d) {
        return DMatrixRMaj.wrap(d, d, values);
    }

    private static void requireEnough(FeatureStatistics statistics) {
        int d = statistics.space().dimension();
        if (statistics.n() <= d) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    statistics.dataset() + ": " + statistics.n() + " images for " + d
                            + " feature dimensions leave the covariance singular; use more than " + d
                            + " images, or allow small samples and say so.");
        }
    }
}
