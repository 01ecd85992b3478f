package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The published ResNet-20 on exact CIFAR-10 pixels against values computed in float64 by an independent program. */
class ResNet20ExtractorTest {
    private static ClassifierExtractor extractor;
    private static ImageSet train;
    private static ImageSet test;
    private static FeatureExtractor.Extraction ofTrain;
    private static FeatureExtractor.Extraction ofTest;

    @BeforeAll
    static void extract() {
        Path weights = Shared.path("weights/resnet-cifar10/resnet20-12fca82f.safetensors");
        Path data = Shared.path("data/cifar10");
        extractor = Extractors.named(weights.toString());
        train = images(data.resolve("lossless-train-00000-03999.bin.gz"), "train");
        test = images(data.resolve("lossless-test-00000-00999.bin.gz"), "test");
        ofTrain = extractor.extract(train);
        ofTest = extractor.extract(test);
    }

    @AfterAll
    static void close() {
        if (extractor != null) {
            extractor.close();
        }
    }

    private static ImageSet images(Path file, String split) {
        return ImageSet.read(new DataConfig.Cifar10(file.toString(), split, 0, false).open(), 10_000);
    }

    private static FeatureSet set(FeatureExtractor.Extraction extraction, String name) {
        return new FeatureSet(extractor.space(), name, FeatureMatrix.of(extraction.features()));
    }

    private static long right(FeatureExtractor.Extraction extraction, int[] labels) {
        int[] seen = ClassAgreement.classes(FeatureMatrix.of(extraction.logits()));
        return Math.round(ClassAgreement.share(seen, labels) * labels.length);
    }

    @Test
    void logits_of_the_first_test_image_are_the_published_networks() {
        double[] expected = {
            -5.30968, -0.495771, 0.877256, 23.7305, -4.10504, 4.46373, -0.234348, -5.41793, -3.71179, -9.88218
        };
        for (int c = 0; c < expected.length; c++) {
            assertThat((double) ofTest.logits()[0][c]).isCloseTo(expected[c], within(2e-4));
        }
    }

    @Test
    void it_recognises_915_of_1000_exact_test_images_and_3992_of_4000_training_images() {
        assertThat(right(ofTest, test.labels())).isEqualTo(915);
        assertThat(right(ofTrain, train.labels())).isEqualTo(3992);
    }

    @Test
    void distances_of_real_images_agree_with_the_reference() {
        FeatureSet a = set(ofTrain, "train");
        FeatureSet b = set(ofTest, "test");
        double frechet = FrechetDistance.between(a.statistics(), b.statistics()).value();
        assertThat(frechet).isCloseTo(0.1901766632167039, within(0.005 * 0.19));
        FeatureMatrix firstThousand = a.features().slice(0, 1000);
        assertThat(KernelDistance.unbiased(firstThousand, b.features()))
                .isCloseTo(-0.0007777741507748459, within(1e-5));
        PrecisionRecall pr = PrecisionRecall.of(firstThousand, b.features(), 3);
        assertThat(pr.precision()).isCloseTo(0.862, within(0.0021));
        assertThat(pr.recall()).isCloseTo(0.863, within(0.0021));
        assertThat(ClassifierScore.of(FeatureMatrix.of(ofTest.logits()), 1).mean())
                .isCloseTo(9.260029428357441, within(1e-3));
    }

    @Test
    void its_scores_carry_its_name_and_the_hash_of_its_weights() {
        assertThat(MetricName.frechet(extractor.space(), 1000)).hasToString("FD-R20cifar@1000");
        assertThat(extractor.space().weightsSha256()).startsWith("f66566c3773");
    }

    @Test
    void images_of_another_size_are_refused() {
        assertThatThrownBy(() -> extractor.extract(new PixelBatch(new byte[28 * 28], 1, 1, 28, 28)))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("3x32x32")
                .hasMessageContaining("1x28x28");
    }
}
