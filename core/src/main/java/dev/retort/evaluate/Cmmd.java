package dev.retort.evaluate;

import java.util.Arrays;

/**
 * CMMD (Jayasumana et al. 2024): 1000 times the biased squared maximum mean discrepancy with the Gaussian kernel
 * exp(-|x-y|² / (2·10²)) on embeddings of unit length. The name is earned by CLIP embeddings only.
 */
public final class Cmmd {
    private static final double GAMMA = 1 / (2 * 10.0 * 10.0);
    private static final double SCALE = 1000;

    private Cmmd() {}

    /** The distance of two sets of embeddings; rows are scaled to unit length here. */
    public static double of(FeatureMatrix x, FeatureMatrix y) {
        return SCALE * (mean(x, x) + mean(y, y) - 2 * mean(x, y));
    }

    private static double mean(FeatureMatrix x, FeatureMatrix y) {
        double[] nx = Pairwise.squaredNorms(x);
        double[] ny = Pairwise.squaredNorms(y);
        double[] sums = new double[x.rows()];
        Pairwise.visit(x, y, (i, first, dots, count) -> {
            for (int j = 0; j < count; j++) {
                double cosine = dots[j] / Math.sqrt(nx[i] * ny[first + j]);
                sums[i] += Math.exp(-GAMMA * (2 - 2 * cosine)); // |x-y|² of unit vectors
            }
        });
        return Arrays.stream(sums).sum() / ((double) x.rows() * y.rows());
    }
}
