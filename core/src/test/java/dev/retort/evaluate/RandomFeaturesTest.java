package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.Shared;
import dev.retort.card.ImageShape;
import dev.retort.data.DataConfig;
import dev.retort.evaluate.FrechetDistance.SmallSamples;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RandomFeaturesTest {
    private static final int SIDE = 16;

    /** Scores of two days compare only while these numbers stay. */
    @Test
    void two_tiny_pictures_have_the_features_they_always_had() {
        byte[] pixels = new byte[2 * 3 * 8 * 8];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 37 % 256);
        }
        RandomFeatures whole = RandomFeatures.of(new ImageShape(3, 8, 8));
        RandomFeatures patches = RandomFeatures.ofPatches(new ImageShape(3, 8, 8));
        PixelBatch batch = new PixelBatch(pixels, 2, 3, 8, 8);
        float[][] features = whole.extract(batch).features();
        assertThat(features[0]).hasSize(64);
        assertThat(new double[] {features[0][0], features[0][63], features[1][0], features[1][63]})
                .containsExactly(new double[] {4.051626, 0.181513, 3.919016, 0.670067}, within(1e-4));
        assertThat(patches.extract(batch).features()[1][63]).isCloseTo(2.403936f, within(1e-4f));
        assertThat(whole.space().weightsSha256()).startsWith("b59277981fd0b44e");
        assertThat(patches.space().weightsSha256()).startsWith("d4c121d9e8bb534d");
        assertThat(MetricName.frechet(whole.space(), 10_000)).hasToString("FD-RandomConv@10k");
        assertThat(MetricName.frechet(patches.space(), 10_000)).hasToString("FD-RandomPatch@10k");
    }

    @Test
    void the_batch_changes_no_feature() {
        PixelBatch all = noise(7, 28);
        RandomFeatures random = RandomFeatures.of(new ImageShape(1, 28, 28));
        float[][] together = random.extract(all).features();
        for (int i = 0; i < 7; i++) {
            assertThat(random.extract(all.part(i, i + 1)).features()[0]).containsExactly(together[i], within(1e-4f));
        }
    }

    @Test
    void patches_are_the_middles_and_see_nothing_else() {
        PixelBatch all = noise(3, 10);
        assertThat(all.middle().height()).isEqualTo(5);
        assertThat(all.middle().pixels()[26]).isEqualTo(all.pixels()[100 + 2 * 10 + 3]); // picture 1, row 2, column 3
        byte[] framed = all.pixels().clone();
        for (int i = 0; i < framed.length; i++) {
            int y = i % 100 / 10;
            int x = i % 10;
            framed[i] = y < 2 || y > 6 || x < 2 || x > 6 ? 0 : framed[i];
        }
        PixelBatch other = new PixelBatch(framed, 3, 1, 10, 10);
        RandomFeatures patches = RandomFeatures.ofPatches(new ImageShape(1, 10, 10));
        RandomFeatures whole = RandomFeatures.of(new ImageShape(1, 10, 10));
        assertThat(patches.extract(other).features())
                .isDeepEqualTo(patches.extract(all).features());
        assertThat(whole.extract(other).features()[0])
                .isNotEqualTo(whole.extract(all).features()[0]);
    }

    @Test
    void images_of_another_size_are_refused() {
        assertThatThrownBy(() -> RandomFeatures.of(new ImageShape(1, 28, 28)).extract(noise(1, 27)))
                .hasMessageContaining("1x27x27");
    }

    /** What every extractor has to be able to tell, beside two sets of real pictures. */
    @Test
    void blurred_noisy_and_pale_pictures_are_worse_by_the_classifier_by_random_weights_and_in_their_patches() {
        ImageSet reference =
                ImageSet.subset(DataConfig.shapes(SIDE).withSplit("test").open(), 400);
        ImageSet real =
                ImageSet.subset(DataConfig.shapes(SIDE).withSplit("train").open(), 400);
        for (String choice : new String[] {"shapes", "random", "patches"}) {
            try (FeatureExtractor extractor = Extractors.open(choice, reference)) {
                FeatureSet known = set(extractor, reference, batch -> batch);
                double floor = distance(known, set(extractor, real, batch -> batch));
                double blurred = distance(known, set(extractor, real, batch -> blurred(blurred(batch))));
                double noisy = distance(known, set(extractor, real, batch -> changed(batch, 1, 12)));
                double pale = distance(known, set(extractor, real, batch -> changed(batch, 0.7, 0)));
                assertThat(blurred).as(choice + " blurred").isGreaterThan(2 * floor);
                assertThat(noisy).as(choice + " noisy").isGreaterThan(2 * floor);
                assertThat(pale).as(choice + " pale").isGreaterThan(2 * floor);
            }
        }
    }

    /** The ladder of docs/results.md with fewer pictures. */
    @Test
    void on_clothes_the_distance_grows_with_blur_noise_pallor_and_missing_classes() {
        DataConfig data = new DataConfig.Idx(Shared.path("data/fashion-mnist").toString(), "test", 0, false);
        ImageSet reference = ImageSet.subset(data.open(), 1000);
        ImageSet real = ImageSet.subset(data.withSplit("train").open(), 1000);
        List<List<UnaryOperator<PixelBatch>>> ladders = List.of(
                List.of(batch -> batch, RandomFeaturesTest::blurred, batch -> blurred(blurred(batch))),
                List.of(batch -> batch, batch -> changed(batch, 1, 8), batch -> changed(batch, 1, 20)),
                List.of(batch -> batch, batch -> changed(batch, 0.9, 0), batch -> changed(batch, 0.7, 0)));
        for (String choice : new String[] {"random", "patches"}) {
            FeatureExtractor extractor = Extractors.open(choice, reference);
            FeatureSet known = set(extractor, reference, batch -> batch);
            for (List<UnaryOperator<PixelBatch>> ladder : ladders) {
                double[] rungs = ladder.stream()
                        .mapToDouble(change -> distance(known, set(extractor, real, change)))
                        .toArray();
                assertThat(rungs[0]).isLessThan(0.15);
                assertThat(rungs[1]).as(choice).isGreaterThan(1.5 * rungs[0]);
                assertThat(rungs[2]).as(choice).isGreaterThan(2 * rungs[1]);
            }
            double before = 0;
            for (int missing = 0; missing <= 4; missing += 2) {
                int from = missing;
                int[] kept = IntStream.range(0, real.size())
                        .filter(i -> real.labels()[i] >= from)
                        .limit(500)
                        .toArray();
                FeatureSet rest = new FeatureSet(
                        extractor.space(),
                        "rest",
                        FeatureMatrix.of(extractor.extract(real.pixels(kept)).features()));
                double distance = distance(known, rest);
                assertThat(distance).as(choice + " without " + from).isGreaterThan(1.5 * before);
                before = distance;
            }
        }
    }

    private static double distance(FeatureSet real, FeatureSet judged) {
        return FrechetDistance.between(real.statistics(), judged.statistics(), SmallSamples.REFUSE)
                .value();
    }

    private static FeatureSet set(FeatureExtractor extractor, ImageSet images, UnaryOperator<PixelBatch> change) {
        ImageStream stream = sink -> images.forEachBatch(batch -> sink.accept(change.apply(batch)));
        return new FeatureSet(
                extractor.space(),
                "x",
                FeatureMatrix.of(extractor.extract(stream).features()));
    }

    /** Each pixel the mean of itself and its right neighbour. */
    private static PixelBatch blurred(PixelBatch batch) {
        byte[] pixels = batch.pixels().clone();
        for (int i = 0; i + 1 < pixels.length; i++) {
            if ((i + 1) % batch.width() != 0) {
                pixels[i] = (byte) (((pixels[i] & 0xFF) + (pixels[i + 1] & 0xFF)) / 2);
            }
        }
        return new PixelBatch(pixels, batch.count(), batch.channels(), batch.height(), batch.width());
    }

    private static PixelBatch changed(PixelBatch batch, double contrast, double noise) {
        Random random = new Random(3);
        byte[] pixels = batch.pixels().clone();
        for (int i = 0; i < pixels.length; i++) {
            double value = contrast * (pixels[i] & 0xFF) + noise * random.nextGaussian();
            pixels[i] = (byte) Math.max(0, Math.min(255, Math.round(value)));
        }
        return new PixelBatch(pixels, batch.count(), batch.channels(), batch.height(), batch.width());
    }

    private static PixelBatch noise(int count, int side) {
        byte[] pixels = new byte[count * side * side];
        new Random(count).nextBytes(pixels);
        return new PixelBatch(pixels, count, 1, side, side);
    }
}
