package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.torch.Kernels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureCacheTest {
    @TempDir
    Path temp;

    /** Counts how often it is asked. */
    private static final class Counting implements FeatureExtractor {
        private final String weights;
        private int asked;

        Counting(String weights) {
            this.weights = weights.repeat(64);
        }

        @Override
        public FeatureSpace space() {
            return new FeatureSpace("Counting", weights, "none", 2);
        }

        @Override
        public Extraction extract(PixelBatch images) {
            asked++;
            float[][] features = new float[images.count()][];
            for (int i = 0; i < features.length; i++) {
                features[i] = new float[] {i, asked};
            }
            return new Extraction(features, new float[0][]);
        }
    }

    @Test
    void images_are_extracted_once_for_each_extractor_and_again_when_the_file_is_damaged() throws Exception {
        ImageSet images =
                ImageSet.read(TinyWorld.pictures(temp.resolve("pictures")).open(), 50);
        FeatureCache cache = new FeatureCache(temp.resolve("cache"));
        Counting extractor = new Counting("a");
        float[][] first = cache.of(extractor, images).features();
        assertThat(cache.of(extractor, images).features()).isDeepEqualTo(first);
        assertThat(extractor.asked).isEqualTo(1);

        Counting retrained = new Counting("b");
        cache.of(retrained, images);
        assertThat(retrained.asked).isEqualTo(1);

        ImageSet fewer =
                ImageSet.read(TinyWorld.pictures(temp.resolve("pictures")).open(), 49);
        assertThat(cache.of(extractor, fewer).features()).hasNumberOfRows(49);
        for (Path file : files()) {
            Files.write(file, new byte[3]);
        }
        cache.of(extractor, images);
        assertThat(extractor.asked).isEqualTo(3);
        cache.of(extractor, images);
        assertThat(extractor.asked).isEqualTo(3);
    }

    @Test
    void what_one_kernel_computed_is_not_taken_for_what_another_does() {
        ImageSet images =
                ImageSet.read(TinyWorld.pictures(temp.resolve("pictures")).open(), 10);
        FeatureCache cache = new FeatureCache(temp.resolve("cache"));
        Counting extractor = new Counting("a");
        Kernels before = Kernels.current();
        try {
            for (String convolution : List.of("blas", "blas", "onednn-channels-last")) {
                Kernels.use(Kernels.parse("convolution=" + convolution), "a test");
                cache.of(extractor, images);
            }
        } finally {
            Kernels.use(before, "as before the test");
        }
        assertThat(extractor.asked).isEqualTo(2);
    }

    @Test
    void a_folder_that_cannot_be_written_costs_time_only() throws Exception {
        ImageSet images =
                ImageSet.read(TinyWorld.pictures(temp.resolve("pictures")).open(), 10);
        Path file = Files.writeString(temp.resolve("file"), "in the way");
        Counting extractor = new Counting("a");
        assertThat(new FeatureCache(file.resolve("below")).of(extractor, images).features())
                .hasNumberOfRows(10);
    }

    private List<Path> files() throws Exception {
        try (Stream<Path> files = Files.list(temp.resolve("cache"))) {
            return files.toList();
        }
    }
}
