package dev.retort.evaluate;

/** A fixed network (or projection) that turns images into feature vectors; never retrained between two comparisons. */
public interface FeatureExtractor {
    /**
     * What it found in a batch.
     *
     * @param features (N, dimension)
     * @param logits (N, classes), or an empty array where the extractor is no classifier
     */
    record Extraction(float[][] features, float[][] logits) {}

    /** Name, weights, preprocessing and dimension: what numbers made from the features are comparable with. */
    FeatureSpace space();

    /** Features and logits of the images, in their order, in evaluation mode and fp32. */
    Extraction extract(PixelBatch images);
}
