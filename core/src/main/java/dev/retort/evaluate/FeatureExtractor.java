package dev.retort.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A fixed network (or projection) that turns images into feature vectors; never retrained between two comparisons. */
public interface FeatureExtractor {
    /**
     * What it found in images.
     *
     * @param features (N, dimension)
     * @param logits (N, classes), or an empty array where the extractor is no classifier
     */
    record Extraction(float[][] features, float[][] logits) {
        /** What {@code look} finds in the batches of a stream. */
        public static Extraction of(ImageStream images, Function<PixelBatch, Extraction> look) {
            List<float[]> features = new ArrayList<>();
            List<float[]> logits = new ArrayList<>();
            images.forEachBatch(batch -> {
                Extraction found = look.apply(batch);
                features.addAll(List.of(found.features));
                logits.addAll(List.of(found.logits));
            });
            return new Extraction(features.toArray(float[][]::new), logits.toArray(float[][]::new));
        }
    }

    /** Name, weights, preprocessing and dimension: what numbers made from the features are comparable with. */
    FeatureSpace space();

    /** Features and logits of a batch, in its order, in evaluation mode and fp32. */
    Extraction extract(PixelBatch batch);

    /** Features and logits of all images of a stream. */
    default Extraction extract(ImageStream images) {
        return Extraction.of(images, this::extract);
    }
}
