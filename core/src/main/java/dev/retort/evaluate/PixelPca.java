package dev.retort.evaluate;

import dev.retort.error.RetortException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;
import org.ejml.interfaces.decomposition.QRDecomposition;

/**
 * The control extractor that nobody trained: projections on the principal components of real pixels. It sees colour,
 * layout and brightness but no meaning, so it tells a broken picture from a good one independently of any network.
 */
public final class PixelPca implements FeatureExtractor {
    private static final int SPARE_DIRECTIONS = 16;
    private static final int MOST_SWEEPS = 100;
    private static final int MOST_VALUES = 46_340; // their covariance fills the largest array
    private static final double CONVERGED = 1e-10;

    private final FeatureSpace space;
    private final double[] mean;
    private final DMatrixRMaj components; // (components, pixels), rows orthonormal

    private PixelPca(FeatureSpace space, double[] mean, DMatrixRMaj components) {
        this.space = space;
        this.mean = mean;
        this.components = components;
    }

    /**
     * Finds the leading components of real images by subspace iteration on their covariance, which costs little where a
     * full decomposition of large images would take minutes. The signs are fixed by making each component's largest value
     * positive.
     *
     * @param real the images that others will be judged against, more than {@code components}; ten thousand are plenty
     * @param components how many, 64 by custom
     */
    public static PixelPca fit(ImageSet real, int components) {
        int d = real.shape().values();
        if (d > MOST_VALUES) {
            throw new RetortException(
                            RetortException.Kind.DATA,
                            "images of " + real.shape() + " are too large for the pixel extractor, which takes up to "
                                    + MOST_VALUES
                                    + " values; choose a classifier ('retort train-classifier')")
                    .about("extractor");
        }
        if (components < 1 || components > d || components >= real.size()) {
            throw new IllegalArgumentException("components: " + components + ", expected 1 to " + d
                    + " and fewer than the " + real.size() + " images");
        }
        double[] mean = new double[d];
        real.forEachBatch(batch -> {
            double[] x = batch.unitRows().values();
            for (int i = 0; i < x.length; i++) {
                mean[i % d] += x[i] / real.size();
            }
        });
        DMatrixRMaj covariance = new DMatrixRMaj(d, d);
        real.forEachBatch(batch -> addProducts(centred(batch, mean), covariance));
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < i; j++) {
                covariance.set(i, j, covariance.get(j, i));
            }
        }
        CommonOps_DDRM.scale(1.0 / (real.size() - 1), covariance);
        DMatrixRMaj rows = leading(covariance, components);
        String name = "PixelPCA" + components;
        FeatureSpace space = new FeatureSpace(name, hash(mean, rows.data), "uint8/255", components);
        return new PixelPca(space, mean, rows);
    }

    /** Adds x^T x to the upper half of a matrix, row of x by row, so that how rows are divided changes no bit. */
    private static void addProducts(DMatrixRMaj x, DMatrixRMaj sums) {
        int d = x.numCols;
        double[] values = x.data;
        double[] products = sums.data;
        IntStream.range(0, d).parallel().forEach(i -> {
            for (int at = 0; at < values.length; at += d) {
                double xi = values[at + i];
                for (int j = i; j < d; j++) {
                    products[i * d + j] += xi * values[at + j];
                }
            }
        });
    }

    private static DMatrixRMaj centred(PixelBatch batch, double[] mean) {
        DMatrixRMaj x =
                DMatrixRMaj.wrap(batch.count(), mean.length, batch.unitRows().values());
        for (int i = 0; i < x.data.length; i++) {
            x.data[i] -= mean[i % mean.length];
        }
        return x;
    }

    @Override
    public FeatureSpace space() {
        return space;
    }

    @Override
    public boolean trained() {
        return false;
    }

    @Override
    public String remark() {
        return "It was fitted to the reference images, in which no picture that is judged has a part.";
    }

    @Override
    public Extraction extract(PixelBatch batch) {
        if (batch.imageSize() != mean.length) {
            throw new IllegalArgumentException("images: " + batch.channels() + "x" + batch.height() + "x"
                    + batch.width() + ", expected " + mean.length + " values as in the images fitted");
        }
        DMatrixRMaj projected = new DMatrixRMaj(batch.count(), space.dimension());
        CommonOps_DDRM.multTransB(centred(batch, mean), components, projected); // (N, components)
        float[][] features = new float[batch.count()][space.dimension()];
        for (int i = 0; i < features.length; i++) {
            for (int c = 0; c < features[i].length; c++) {
                features[i][c] = (float) projected.get(i, c);
            }
        }
        return new Extraction(features, new float[0][]);
    }

    /** Rayleigh-Ritz subspace iteration: multiply, rotate, orthonormalise, until the leading eigenvalues stand still. */
    private static DMatrixRMaj leading(DMatrixRMaj covariance, int components) {
        int d = covariance.numRows;
        int width = Math.min(d, components + SPARE_DIRECTIONS);
        Random random = new Random(0);
        DMatrixRMaj basis = new DMatrixRMaj(d, width);
        for (int i = 0; i < basis.data.length; i++) {
            basis.data[i] = random.nextGaussian();
        }
        basis = orthonormal(basis);
        double[] before = new double[components];
        for (int sweep = 0; ; sweep++) {
            DMatrixRMaj image = times(covariance, basis);
            DMatrixRMaj small = new DMatrixRMaj(width, width);
            CommonOps_DDRM.multTransA(basis, image, small);
            EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(width, true, true);
            eigen.decompose(small);
            Integer[] order = new Integer[width];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, Comparator.comparingDouble(i -> -eigen.getEigenvalue(i)
                    .getReal()));
            DMatrixRMaj rotation = new DMatrixRMaj(width, width);
            double moved = 0;
            for (int c = 0; c < width; c++) {
                CommonOps_DDRM.insert(eigen.getEigenVector(order[c]), rotation, 0, c);
                if (c < components) {
                    double value = eigen.getEigenvalue(order[c]).getReal();
                    moved = Math.max(moved, Math.abs(value - before[c]));
                    before[c] = value;
                }
            }
            if (moved <= CONVERGED * before[0] || sweep == MOST_SWEEPS) {
                return fixedSigns(times(basis, rotation), components);
            }
            basis = orthonormal(times(image, rotation));
        }
    }

    private static DMatrixRMaj fixedSigns(DMatrixRMaj basis, int components) {
        DMatrixRMaj rows = new DMatrixRMaj(components, basis.numRows);
        for (int c = 0; c < components; c++) {
            double largest = 0;
            for (int i = 0; i < basis.numRows; i++) {
                largest = Math.abs(basis.get(i, c)) > Math.abs(largest) ? basis.get(i, c) : largest;
            }
            for (int i = 0; i < basis.numRows; i++) {
                rows.set(c, i, basis.get(i, c) * Math.signum(largest));
            }
        }
        return rows;
    }

    private static DMatrixRMaj orthonormal(DMatrixRMaj matrix) {
        QRDecomposition<DMatrixRMaj> qr = DecompositionFactory_DDRM.qr(matrix.numRows, matrix.numCols);
        qr.decompose(matrix);
        return qr.getQ(null, true);
    }

    private static DMatrixRMaj times(DMatrixRMaj a, DMatrixRMaj b) {
        DMatrixRMaj product = new DMatrixRMaj(a.numRows, b.numCols);
        CommonOps_DDRM.mult(a, b, product);
        return product;
    }

    private static String hash(double[] mean, double[] components) {
        MessageDigest digest = FeatureCache.sha256();
        for (double[] values : new double[][] {mean, components}) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asDoubleBuffer().put(values);
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
