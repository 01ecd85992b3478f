package dev.retort.evaluate;

/**
 * Features with what they are: the space they live in and the images they come from.
 *
 * @param space extractor, weights and preprocessing
 * @param dataset the images: {@code fashion-mnist/test}, {@code samples of run x}
 * @param features one row per image
 */
public record FeatureSet(FeatureSpace space, String dataset, FeatureMatrix features) {
    /** Checks that the rows have the dimension of the space. */
    public FeatureSet {
        if (features.dimension() != space.dimension()) {
            throw new IllegalArgumentException("features: " + features.dimension() + " values a row, expected "
                    + space.dimension() + " of " + space.extractor());
        }
    }

    /** Number of images. */
    public int size() {
        return features.rows();
    }

    /** The first {@code n} images in an order that depends on the seed alone, so that classes are mixed. */
    public FeatureSet subset(int n, long seed) {
        if (n > size()) {
            throw new IllegalArgumentException("n: " + n + ", expected at most the " + size() + " of " + dataset);
        }
        return new FeatureSet(space, dataset, features.shuffled(seed).slice(0, n));
    }

    /** Statistics for a Fréchet distance. */
    public FeatureStatistics statistics() {
        FeatureStatistics.Accumulator sums = new FeatureStatistics.Accumulator(space, dataset);
        sums.add(features);
        return sums.finish();
    }
}
