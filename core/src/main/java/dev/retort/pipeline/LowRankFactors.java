package dev.retort.pipeline;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.NormOps_DDRM;
import org.ejml.dense.row.SingularOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.QRDecomposition;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/**
 * The nearest product B·A of low rank to a matrix D (Eckart and Young 1936): its truncated singular value decomposition, found by subspace
 * iteration from random vectors (Halko, Martinsson and Tropp 2011, algorithm 4.4), which needs products with D alone. Singular values are shared out
 * between the factors evenly.
 *
 * @param a A (rank, in)
 * @param b B (out, rank)
 * @param singular the largest singular values, downwards
 * @param energy squared Frobenius norm of D, that of which the squared singular values are shares
 */
public record LowRankFactors(float[] a, float[] b, double[] singular, double energy) {
    private static final int MORE_VECTORS = 8;
    private static final int MOST_ROUNDS = 30;
    private static final double SETTLED = 1e-10;

    /**
     * Factors of a matrix.
     *
     * @param values of D (out, in), row by row
     * @param rank wanted; no more than the smaller side is used
     */
    public static LowRankFactors of(double[] values, int out, int in, int rank) {
        DMatrixRMaj d = new DMatrixRMaj(out, in, true, values);
        int smaller = Math.min(out, in);
        int used = Math.min(rank, smaller);
        DMatrixRMaj q = range(d, Math.min(used + MORE_VECTORS, smaller));
        DMatrixRMaj inside = new DMatrixRMaj(q.numCols, in); // Qᵀ·D
        CommonOps_DDRM.multTransA(q, d, inside);
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(inside.numRows, inside.numCols, true, true, true);
        if (!svd.decompose(inside)) {
            throw new IllegalStateException("the singular value decomposition does not converge");
        }
        DMatrixRMaj u = svd.getU(null, false);
        DMatrixRMaj w = svd.getW(null);
        DMatrixRMaj v = svd.getV(null, false);
        SingularOps_DDRM.descendingOrder(u, false, w, v, false);
        DMatrixRMaj left = new DMatrixRMaj(out, u.numCols);
        CommonOps_DDRM.mult(q, u, left);
        double[] singular = new double[used];
        float[] a = new float[used * in];
        float[] b = new float[out * used];
        for (int k = 0; k < used; k++) {
            singular[k] = w.get(k, k);
            double root = Math.sqrt(singular[k]);
            for (int i = 0; i < in; i++) {
                a[k * in + i] = (float) (root * v.get(i, k));
            }
            for (int i = 0; i < out; i++) {
                b[i * used + k] = (float) (root * left.get(i, k));
            }
        }
        double norm = NormOps_DDRM.normF(d);
        return new LowRankFactors(a, b, singular, norm * norm);
    }

    /** Rank that it has: what was wanted, or the smaller side. */
    public int rank() {
        return singular.length;
    }

    /** What the first so many singular values hold of {@link #energy}. */
    public double kept(int values) {
        double kept = 0;
        for (int k = 0; k < Math.min(values, rank()); k++) {
            kept += singular[k] * singular[k];
        }
        return kept;
    }

    /** Orthonormal columns that hold nearly all that D does in so many directions. */
    private static DMatrixRMaj range(DMatrixRMaj d, int columns) {
        DMatrixRMaj q = orthonormal(times(d, false, random(d.numCols, columns)));
        double before = 0;
        for (int round = 0; round < MOST_ROUNDS; round++) {
            DMatrixRMaj back = times(d, true, q); // Dᵀ·Q
            double held = NormOps_DDRM.normF(back);
            if (held * held - before * before <= SETTLED * held * held) {
                return q;
            }
            before = held;
            q = orthonormal(times(d, false, orthonormal(back)));
        }
        return q;
    }

    private static DMatrixRMaj times(DMatrixRMaj d, boolean transposed, DMatrixRMaj vectors) {
        DMatrixRMaj product = new DMatrixRMaj(transposed ? d.numCols : d.numRows, vectors.numCols);
        if (transposed) {
            CommonOps_DDRM.multTransA(d, vectors, product);
        } else {
            CommonOps_DDRM.mult(d, vectors, product);
        }
        return product;
    }

    private static DMatrixRMaj random(int rows, int columns) {
        Rng rng = Rng.at(0, Purpose.INIT, 0, 0);
        DMatrixRMaj random = new DMatrixRMaj(rows, columns);
        for (int i = 0; i < random.getNumElements(); i++) {
            random.data[i] = rng.nextGaussian();
        }
        return random;
    }

    private static DMatrixRMaj orthonormal(DMatrixRMaj vectors) {
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(vectors.numRows, vectors.numCols);
        qr.decompose(vectors);
        return qr.getQ(null, true);
    }
}
