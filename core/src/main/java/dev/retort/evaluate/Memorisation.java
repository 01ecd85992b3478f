package dev.retort.evaluate;

import java.util.Arrays;

/**
 * Whether samples are copies of training images: how far each lies from its nearest training image, beside how far real
 * images that were never trained on lie. Usually in pixels ({@link PixelBatch#unitRows}).
 *
 * @param generatedMedian median distance of a sample to its nearest training image
 * @param heldOutMedian the same of held-out real images: what a model that does not memorise should come near
 * @param copies share of samples nearer to a training image than 99 % of held-out images are
 */
public record Memorisation(double generatedMedian, double heldOutMedian, double copies) {
    private static final double SUSPICIOUS = 0.01;

    /**
     * The nearest row of a training set.
     *
     * @param row its index
     * @param distance Euclidean
     */
    public record Neighbour(int row, double distance) {}

    /** Compares samples with held-out images; a share of copies far above 1 % means memorisation. */
    public static Memorisation of(FeatureMatrix generated, FeatureMatrix heldOut, FeatureMatrix training) {
        return of(generated, sortedDistances(heldOut, training), training);
    }

    /** The same where {@link #sortedDistances} of the held-out images are known. */
    static Memorisation of(FeatureMatrix generated, double[] honest, FeatureMatrix training) {
        double[] samples = sortedDistances(generated, training);
        double threshold = honest[(int) (SUSPICIOUS * honest.length)];
        double copies =
                (double) Arrays.stream(samples).filter(d -> d < threshold).count() / samples.length;
        return new Memorisation(samples[samples.length / 2], honest[honest.length / 2], copies);
    }

    /** The nearest training image of every sample, in the order of the samples. */
    public static Neighbour[] nearest(FeatureMatrix samples, FeatureMatrix training) {
        double[] norms = Pairwise.squaredNorms(samples);
        double[] trainingNorms = Pairwise.squaredNorms(training);
        double[] best = new double[samples.rows()];
        int[] row = new int[samples.rows()];
        Arrays.fill(best, Double.POSITIVE_INFINITY);
        Pairwise.visit(samples, training, (i, first, dots, count) -> {
            for (int j = 0; j < count; j++) {
                double squared = norms[i] + trainingNorms[first + j] - 2 * dots[j];
                if (squared < best[i]) {
                    best[i] = squared;
                    row[i] = first + j;
                }
            }
        });
        Neighbour[] neighbours = new Neighbour[best.length];
        Arrays.setAll(neighbours, i -> new Neighbour(row[i], Math.sqrt(Math.max(0, best[i]))));
        return neighbours;
    }

    /** Distance of each row to the nearest of a training set, rising. */
    static double[] sortedDistances(FeatureMatrix samples, FeatureMatrix training) {
        return Arrays.stream(nearest(samples, training))
                .mapToDouble(Neighbour::distance)
                .sorted()
                .toArray();
    }
}
