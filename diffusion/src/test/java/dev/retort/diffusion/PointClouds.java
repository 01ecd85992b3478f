package dev.retort.diffusion;

import java.util.Arrays;
import java.util.function.Function;

/** How far one cloud of points in the plane is from another, and how many modes of a mixture it has found. */
public final class PointClouds {
    private static final double NEAR = 3;
    private static final double ENOUGH = 0.25;

    private PointClouds() {}

    /** Clean samples of a mixture, the i-th from the address (seed, i). */
    public static double[][] of(GaussianMixture mixture, int count, long seed) {
        return cloud(count, seed, mixture::sample);
    }

    /** Points of unit noise. */
    public static double[][] noise(int count, long seed) {
        return cloud(count, seed, rng -> new double[] {rng.nextGaussian(), rng.nextGaussian()});
    }

    private static double[][] cloud(int count, long seed, Function<Rng, double[]> point) {
        double[][] cloud = new double[count][];
        for (int i = 0; i < count; i++) {
            cloud[i] = point.apply(Rng.at(seed, Purpose.DATA, 0, i));
        }
        return cloud;
    }

    /**
     * The sliced Wasserstein distance: the mean, over evenly spaced directions, of the mean distance between the sorted projections of both.
     *
     * @param a points of the plane
     * @param b as many
     * @param directions over half a turn
     */
    public static double slicedWasserstein(double[][] a, double[][] b, int directions) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(
                    "clouds of " + a.length + " and " + b.length + " points; expected as many of each");
        }
        double sum = 0;
        for (int k = 0; k < directions; k++) {
            double angle = Math.PI * k / directions;
            double[] one = projected(a, angle);
            double[] other = projected(b, angle);
            for (int i = 0; i < one.length; i++) {
                sum += Math.abs(one[i] - other[i]) / one.length / directions;
            }
        }
        return sum;
    }

    private static double[] projected(double[][] cloud, double angle) {
        double[] along = new double[cloud.length];
        for (int i = 0; i < cloud.length; i++) {
            along[i] = Math.cos(angle) * cloud[i][0] + Math.sin(angle) * cloud[i][1];
        }
        Arrays.sort(along);
        return along;
    }

    /** The share of a mixture's components that have at least a quarter of their points: those within three deviations of the mean. */
    public static double modeCoverage(double[][] cloud, GaussianMixture mixture) {
        int[] near = new int[mixture.components()];
        for (double[] point : cloud) {
            for (int k = 0; k < near.length; k++) {
                near[k] += isNear(point, mixture, k) ? 1 : 0;
            }
        }
        double covered = 0;
        for (int k = 0; k < near.length; k++) {
            covered += near[k] >= ENOUGH * mixture.weight(k) * cloud.length ? 1.0 / near.length : 0;
        }
        return covered;
    }

    /** The share of points that lie within three deviations of any component's mean. */
    public static double onModes(double[][] cloud, GaussianMixture mixture) {
        double on = 0;
        for (double[] point : cloud) {
            boolean near = false;
            for (int k = 0; k < mixture.components(); k++) {
                near |= isNear(point, mixture, k);
            }
            on += near ? 1.0 / cloud.length : 0;
        }
        return on;
    }

    private static boolean isNear(double[] point, GaussianMixture mixture, int component) {
        double[] mean = mixture.mean(component);
        return Math.hypot(point[0] - mean[0], point[1] - mean[1]) <= NEAR * mixture.deviation(component);
    }
}
