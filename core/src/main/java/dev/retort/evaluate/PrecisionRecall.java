package dev.retort.evaluate;

import dev.retort.error.RetortException;
import java.util.Arrays;

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019) and density and coverage (Naeem et al. 2020). The radius of a
 * point is the distance to its k-th neighbour in its own set, itself not counted.
 *
 * @param precision share of generated points inside some real ball
 * @param recall share of real points inside some generated ball
 * @param density real balls that hold a generated point, over k and the generated points; may exceed 1
 * @param coverage share of real points whose ball holds a generated point
 * @param k neighbours
 */
public record PrecisionRecall(double precision, double recall, double density, double coverage, int k) {
    /** The four scores; both numbers of images matter, so state them. */
    public static PrecisionRecall of(FeatureMatrix real, FeatureMatrix generated, int k) {
        return of(real, squaredRadii(real, k), generated, k);
    }

    /** The same where {@link #squaredRadii} of the real points are known. */
    static PrecisionRecall of(FeatureMatrix realRows, double[] realRadii, FeatureMatrix generatedRows, int k) {
        double[] centre = realRows.mean(); // distances from scalar products lose digits far from zero
        FeatureMatrix real = realRows.minus(centre);
        FeatureMatrix generated = generatedRows.minus(centre);
        double[] generatedRadii = squaredRadii(generated, k);
        double[] realNorms = Pairwise.squaredNorms(real);
        double[] generatedNorms = Pairwise.squaredNorms(generated);

        int[] ballsAround = new int[generated.rows()];
        Pairwise.visit(generated, real, (i, first, dots, count) -> {
            for (int j = 0; j < count; j++) {
                if (squared(generatedNorms[i], realNorms[first + j], dots[j]) <= realRadii[first + j]) {
                    ballsAround[i]++;
                }
            }
        });
        boolean[] recalled = new boolean[real.rows()];
        boolean[] covered = new boolean[real.rows()];
        Pairwise.visit(real, generated, (i, first, dots, count) -> {
            for (int j = 0; j < count; j++) {
                double distance = squared(realNorms[i], generatedNorms[first + j], dots[j]);
                recalled[i] |= distance <= generatedRadii[first + j];
                covered[i] |= distance <= realRadii[i];
            }
        });
        long precise = Arrays.stream(ballsAround).filter(balls -> balls > 0).count();
        double density = Arrays.stream(ballsAround).asLongStream().sum() / ((double) k * generated.rows());
        return new PrecisionRecall((double) precise / generated.rows(), share(recalled), density, share(covered), k);
    }

    /** Squared distance of every point to its k-th neighbour in the same set. */
    static double[] squaredRadii(FeatureMatrix rows, int k) {
        if (k < 1 || rows.rows() <= k) {
            throw new RetortException(
                    RetortException.Kind.DATA,
                    "Precision and recall with k = " + k
                            + " need more than k images on both sides and k of at least 1, " + "there are "
                            + rows.rows() + "; give more images.");
        }
        FeatureMatrix points = rows.minus(rows.mean()); // as above
        double[] norms = Pairwise.squaredNorms(points);
        double[][] nearest = new double[points.rows()][k]; // ascending
        for (double[] row : nearest) {
            Arrays.fill(row, Double.POSITIVE_INFINITY);
        }
        Pairwise.visit(points, points, (i, first, dots, count) -> {
            double[] best = nearest[i];
            for (int j = 0; j < count; j++) {
                double distance = squared(norms[i], norms[first + j], dots[j]);
                if (distance < best[k - 1] && first + j != i) {
                    int at = k - 1;
                    for (; at > 0 && best[at - 1] > distance; at--) {
                        best[at] = best[at - 1];
                    }
                    best[at] = distance;
                }
            }
        });
        return Arrays.stream(nearest).mapToDouble(best -> best[k - 1]).toArray();
    }

    private static double squared(double normX, double normY, double dot) {
        return Math.max(0, normX + normY - 2 * dot);
    }

    private static double share(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return (double) count / flags.length;
    }
}
