package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.error.RetortException;
import dev.retort.evaluate.FrechetDistance.SmallSamples;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PixelPcaTest {
    @Test
    void the_first_components_carry_the_variance_that_was_put_in() {
        ImageSet real = striped(400, 1);
        PixelPca pca = PixelPca.fit(real, 4);
        FeatureMatrix features = FeatureMatrix.of(pca.extract(real).features());
        FeatureStatistics statistics = new FeatureSet(pca.space(), "x", features).statistics();
        double[] variance = new double[4];
        for (int c = 0; c < 4; c++) {
            assertThat(statistics.mean()[c]).isCloseTo(0, within(1e-6));
            variance[c] = statistics.covariance()[c * 4 + c];
            for (int other = 0; other < c; other++) {
                assertThat(statistics.covariance()[c * 4 + other]).isCloseTo(0, within(1e-6));
            }
        }
        assertThat(variance[0]).isGreaterThan(variance[1]);
        assertThat(variance[1]).isGreaterThan(50 * variance[2]); // two stripes vary, the rest is small noise
    }

    @Test
    void the_same_images_give_the_same_space_and_others_another() {
        FeatureSpace first = PixelPca.fit(striped(200, 1), 3).space();
        assertThat(PixelPca.fit(striped(200, 1), 3).space()).isEqualTo(first);
        assertThat(PixelPca.fit(striped(200, 2), 3).space().weightsSha256()).isNotEqualTo(first.weightsSha256());
        assertThat(MetricName.frechet(first, 200)).hasToString("FD-PixelPCA3@200");
    }

    @Test
    void brighter_images_lie_far_from_real_ones() {
        ImageSet real = striped(300, 1);
        PixelPca pca = PixelPca.fit(real, 4);
        ImageStream brighter = sink -> real.forEachBatch(batch -> {
            for (int i = 0; i < batch.pixels().length; i++) {
                batch.pixels()[i] = (byte) Math.min(255, (batch.pixels()[i] & 0xFF) + 60);
            }
            sink.accept(batch);
        });
        FeatureSet reference = set(pca, real);
        Quality near = Quality.of(reference, set(pca, striped(300, 5)), SmallSamples.REFUSE);
        Quality far = Quality.of(reference, set(pca, brighter), SmallSamples.REFUSE);
        assertThat(far.frechet().value()).isGreaterThan(10 * near.frechet().value());
    }

    /** Were it fitted to the judged images, their spread along it would be larger than that of any others. */
    @Test
    void real_images_in_a_models_place_score_as_others_of_their_kind_do() {
        ImageSet reference = noise(100, 1);
        FeatureExtractor pixels = Extractors.open("pixels", reference);
        assertThat(pixels.space().dimension()).isEqualTo(64);
        double[] scores = new double[6];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Quality.of(set(pixels, reference), set(pixels, noise(100, 2 + i)), SmallSamples.REFUSE)
                    .frechet()
                    .value();
        }
        Arrays.sort(scores);
        assertThat(scores[5]).isLessThan(1.1 * scores[0]);
    }

    @Test
    void few_images_do_not_make_few_features() {
        for (int few : new int[] {4, 10, 64}) {
            assertThatThrownBy(() -> Extractors.open("pixels", noise(few, 1)))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(RetortException.Kind.DATA))
                    .hasMessageContaining("gives " + few + " real images")
                    .hasMessageContaining("64 features");
        }
    }

    private static ImageSet noise(int count, long seed) {
        byte[] pixels = new byte[count * 256];
        new Random(seed).nextBytes(pixels);
        return PixelSource.set(new PixelBatch(pixels, count, 1, 16, 16));
    }

    @Test
    void images_of_another_size_are_refused() {
        PixelPca pca = PixelPca.fit(striped(50, 1), 2);
        assertThatThrownBy(() -> pca.extract(new PixelBatch(new byte[49], 1, 1, 7, 7)))
                .hasMessageContaining("1x7x7");
    }

    @Test
    void quantisation_rounds_and_clamps() {
        byte[] bytes = new byte[4];
        PixelBatch.quantise(new float[] {-1.5f, -1, 0.0039f, 1}, 0, bytes, 0, 4);
        assertThat(bytes).containsExactly(0, 0, 128, 255);
        PixelBatch batch = new PixelBatch(bytes, 1, 1, 2, 2);
        assertThat(batch.unitRows().at(0, 3)).isEqualTo(1);
    }

    private static FeatureSet set(FeatureExtractor pca, ImageStream images) {
        return new FeatureSet(
                pca.space(), "x", FeatureMatrix.of(pca.extract(images).features()));
    }

    private static ImageSet striped(int count, long seed) {
        Random random = new Random(seed);
        byte[] pixels = new byte[count * 36];
        for (int n = 0; n < count; n++) {
            double top = 30 * random.nextGaussian();
            double bottom = 15 * random.nextGaussian();
            for (int p = 0; p < 36; p++) {
                double value = 120 + (p < 12 ? top : p < 24 ? bottom : 0) + random.nextGaussian();
                pixels[n * 36 + p] = (byte) Math.max(0, Math.min(255, Math.round(value)));
            }
        }
        return PixelSource.set(new PixelBatch(pixels, count, 1, 6, 6));
    }
}
