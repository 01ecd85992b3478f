package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import dev.retort.card.ClassifierCard;
import dev.retort.data.DataConfig;
import dev.retort.layout.ClassifierFiles;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The extractor that comes with Retort: its weights are fixed forever, and so is what they give on real images. */
class FashionExtractorTest {
    private static final Path FOLDER = Path.of("../zoo/fashion-classifier");

    @Test
    void its_weights_are_the_ones_all_published_scores_are_made_with() {
        try (ClassifierExtractor extractor = Extractors.named("fashion")) {
            assertThat(extractor.space().extractor()).isEqualTo("CNNfashion");
            assertThat(extractor.space().dimension()).isEqualTo(96);
            assertThat(extractor.space().weightsSha256())
                    .isEqualTo("bebf54f85ac328b7de52704f9dd05e23606375db861b2b5af03a1cf98a1a8b16");
        }
        assertThat(FOLDER.resolve("model.safetensors").toFile().length()).isLessThan(1_000_000);
    }

    @Test
    void the_weights_in_the_file_reach_the_accuracy_on_its_card() {
        ClassifierCard card = ClassifierFiles.card(FOLDER);
        double told = card.metrics().get("testAccuracy");
        assertThat(told).isGreaterThanOrEqualTo(0.92);
        DataConfig data = new DataConfig.Idx(Shared.path("data/fashion-mnist").toString(), "test", 0, false);
        ImageSet test = ImageSet.read(data.open(), 10_000);
        try (ClassifierExtractor extractor = Extractors.named("fashion")) {
            FeatureMatrix logits = FeatureMatrix.of(extractor.extract(test).logits());
            assertThat(ClassAgreement.share(ClassAgreement.classes(logits), test.labels()))
                    .isCloseTo(told, within(2e-4)); // another CPU may round a close call the other way
        }
    }
}
