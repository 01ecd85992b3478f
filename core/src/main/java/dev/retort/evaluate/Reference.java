package dev.retort.evaluate;

/**
 * Real images' features with all that depends on them alone, computed once for however many sets are judged against them:
 * with ten thousand images that is most of a judgement's time.
 *
 * @param real the features
 * @param statistics their Gaussian
 * @param kernel mean kernel of two different images of the set
 * @param squaredRadii squared distance of every image to its k-th neighbour in the set
 */
record Reference(FeatureSet real, FeatureStatistics statistics, double kernel, double[] squaredRadii) {
    /** @param k neighbours of precision and recall */
    static Reference of(FeatureSet real, int k) {
        return new Reference(
                real,
                real.statistics(),
                KernelDistance.within(real.features()),
                PrecisionRecall.squaredRadii(real.features(), k));
    }
}
