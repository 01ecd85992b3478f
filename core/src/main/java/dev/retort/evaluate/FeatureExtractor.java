package dev.retort.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** A fixed network (or projection) that turns images into feature vectors; never retrained between two comparisons. */
public interface FeatureExtractor extends AutoCloseable {
    /**
     * What it found in images.
     *
     * @param features (N, dimension)
     * @param logits (N, classes), or an empty array where the extractor is no classifier
     */
    record Extraction(float[][] features, float[][] logits) {
        /** What {@code look} finds in the batches of a stream. */
        public static Extraction of(ImageStream images, Function<PixelBatch, Extraction> look) {
            return of(images, List.of(look)).get(0);
        }

        /** What each of several finds in the batches of a stream, which is read once. */
        static List<Extraction> of(ImageStream images, List<Function<PixelBatch, Extraction>> looks) {
            List<List<Extraction>> found = new ArrayList<>();
            looks.forEach(look -> found.add(new ArrayList<>()));
            images.forEachBatch(batch -> {
                for (int i = 0; i < looks.size(); i++) {
                    found.get(i).add(looks.get(i).apply(batch));
                }
            });
            return found.stream().map(Extraction::joined).toList();
        }

        private static Extraction joined(List<Extraction> parts) {
            return new Extraction(
                    parts.stream().flatMap(part -> Arrays.stream(part.features)).toArray(float[][]::new),
                    parts.stream().flatMap(part -> Arrays.stream(part.logits)).toArray(float[][]::new));
        }
    }

    /** Name, weights, preprocessing and dimension: what numbers made from the features are comparable with. */
    FeatureSpace space();

    /** Whether it has learned from images, so that a network may have been trained or chosen by what it sees. */
    default boolean trained() {
        return true;
    }

    /** What else a reader of its scores must know: sentences. */
    default String remark() {
        return "";
    }

    /** Features and logits of a batch, in its order, in evaluation mode and fp32. */
    Extraction extract(PixelBatch batch);

    /** Features and logits of all images of a stream. */
    default Extraction extract(ImageStream images) {
        return Extraction.of(images, this::extract);
    }

    /** Frees the weights, where they are native. */
    @Override
    default void close() {}
}
