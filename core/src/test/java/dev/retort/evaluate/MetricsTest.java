package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.error.RetortException;
import dev.retort.evaluate.FrechetDistance.SmallSamples;
import dev.retort.report.Measure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {
    @TempDir
    Path dir;

    @Test
    void statistics_do_not_depend_on_the_batches_and_survive_a_file_bit_for_bit() {
        FeatureMatrix a = Golden.a();
        FeatureStatistics.Accumulator sums = new FeatureStatistics.Accumulator(Golden.SPACE, "synthetic");
        sums.add(a.slice(0, 10));
        sums.add(a.slice(10, 64));
        FeatureStatistics batched = sums.finish();
        FeatureStatistics whole = Golden.set(FeatureMatrix.join(List.of(a.slice(0, 30), a.slice(30, 64))))
                .statistics();
        assertThat(batched.covariance()).isEqualTo(whole.covariance());

        Path file = dir.resolve("reference.json");
        batched.save(file);
        FeatureStatistics read = FeatureStatistics.load(file);
        assertThat(read.mean()).isEqualTo(batched.mean());
        assertThat(read.covariance()).isEqualTo(batched.covariance());
        assertThat(read.space()).isEqualTo(Golden.SPACE);
        assertThat(read.n()).isEqualTo(64);
        assertThat(read.dataset()).isEqualTo("synthetic");
    }

    @Test
    void a_truncated_statistics_file_is_named() throws IOException {
        Path file = dir.resolve("reference.json");
        Golden.set(Golden.a()).statistics().save(file);
        Files.writeString(file, Files.readString(file).substring(0, 900));
        assertThatThrownBy(() -> FeatureStatistics.load(file))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("reference.json");
    }

    @Test
    void features_of_other_weights_or_preprocessing_are_refused() {
        FeatureStatistics mine = Golden.set(Golden.a()).statistics();
        for (FeatureSpace other : List.of(
                new FeatureSpace("Other", "ab".repeat(32), "none", 16),
                new FeatureSpace("Synthetic", "cd".repeat(32), "none", 16),
                new FeatureSpace("Synthetic", "ab".repeat(32), "rgb/255", 16))) {
            FeatureStatistics theirs = new FeatureSet(other, "x", Golden.b()).statistics();
            assertThatThrownBy(() -> FrechetDistance.between(mine, theirs))
                    .isInstanceOf(RetortException.class)
                    .hasMessageContaining("differ");
        }
    }

    @Test
    void as_many_images_as_dimensions_are_too_few_unless_allowed() {
        FeatureStatistics few = Golden.set(Golden.a().slice(0, 16)).statistics();
        assertThatThrownBy(() -> FrechetDistance.between(few, few))
                .isInstanceOf(RetortException.class)
                .hasMessageContaining("16 images for 16 feature dimensions");
        assertThat(FrechetDistance.between(few, few, SmallSamples.ALLOW).value())
                .isCloseTo(0, within(1e-6));
    }

    @Test
    void distance_of_shifted_unit_gaussians_is_the_squared_shift() {
        double[] identity = new double[16 * 16];
        for (int i = 0; i < 16; i++) {
            identity[i * 16 + i] = 1;
        }
        double[] ones = new double[16];
        Arrays.fill(ones, 1);
        FrechetDistance distance = FrechetDistance.between(
                new FeatureStatistics(Golden.SPACE, "0", 100, new double[16], identity),
                new FeatureStatistics(Golden.SPACE, "1", 100, ones, identity));
        assertThat(distance.value()).isCloseTo(16, within(1e-12));
    }

    @Test
    void frechet_distance_is_symmetric() {
        FeatureStatistics a = Golden.set(Golden.a()).statistics();
        FeatureStatistics b = Golden.set(Golden.b()).statistics();
        assertThat(FrechetDistance.between(a, b).value())
                .isCloseTo(FrechetDistance.between(b, a).value(), within(1e-12));
    }

    @Test
    void kernel_distance_over_subsets_scatters_around_the_whole() {
        FeatureMatrix x = Golden.lcg(1000, 16, 1, 1, 0);
        FeatureMatrix y = Golden.lcg(900, 16, 2, 1.1, 0.1);
        double whole = KernelDistance.unbiased(x, y);
        KernelDistance.OverSubsets subsets = KernelDistance.overSubsets(x, y, 20, 300, 2020);
        assertThat(subsets.mean()).isCloseTo(whole, within(subsets.deviation()));
        assertThat(subsets.deviation()).isPositive().isLessThan(whole);
        assertThat(KernelDistance.overSubsets(x, y, 20, 300, 2020)).isEqualTo(subsets);
        assertThatThrownBy(() -> KernelDistance.overSubsets(x, y, 20, 950, 1)).isInstanceOf(RetortException.class);
    }

    @Test
    void pairs_over_several_tiles_agree_with_the_plain_double_loop() {
        FeatureMatrix x = Golden.lcg(301, 5, 3, 1, 0);
        FeatureMatrix y = Golden.lcg(259, 5, 4, 1, 0);
        double[][] dots = new double[301][259];
        Pairwise.visit(x, y, (i, first, some, count) -> System.arraycopy(some, 0, dots[i], first, count));
        for (int i = 0; i < 301; i++) {
            for (int j = 0; j < 259; j++) {
                double dot = 0;
                for (int k = 0; k < 5; k++) {
                    dot += x.at(i, k) * y.at(j, k);
                }
                assertThat(dots[i][j]).isEqualTo(dot);
            }
        }
    }

    @Test
    void a_collapsed_set_is_precise_but_recalls_little() {
        FeatureMatrix wide = gaussian(600, 8, 1.0, 5);
        FeatureMatrix tight = gaussian(600, 8, 0.1, 6);
        PrecisionRecall scores = PrecisionRecall.of(wide, tight, 3);
        assertThat(scores.precision()).isGreaterThan(0.8);
        assertThat(scores.recall()).isLessThan(0.3);
        PrecisionRecall same = PrecisionRecall.of(wide, wide, 3);
        assertThat(same.precision()).isEqualTo(1);
        assertThat(same.coverage()).isEqualTo(1);
    }

    @Test
    void features_far_from_zero_lose_no_digits() {
        FeatureMatrix near = gaussian(400, 6, 1, 11);
        FeatureMatrix other = gaussian(400, 6, 1.3, 12);
        double expected =
                FrechetDistance.between(statistics(near), statistics(other)).value();
        PrecisionRecall neighbours = PrecisionRecall.of(near, other, 3);
        double[] shift = new double[6];
        for (double far : new double[] {1e8, -3e7}) {
            Arrays.fill(shift, -far);
            FeatureMatrix a = near.minus(shift);
            FeatureMatrix b = other.minus(shift);
            assertThat(statistics(a).covariance())
                    .containsExactly(statistics(near).covariance(), within(1e-6));
            assertThat(statistics(a.slice(0, 1), a.slice(1, 7), a.slice(7, 7), a.slice(7, 400))
                            .covariance())
                    .containsExactly(statistics(a).covariance(), within(1e-7));
            assertThat(FrechetDistance.between(statistics(a), statistics(b)).value())
                    .isCloseTo(expected, within(1e-5));
            assertThat(FrechetDistance.between(statistics(a), statistics(a)).value())
                    .isCloseTo(0, within(1e-6));
            assertThat(PrecisionRecall.of(a, b, 3)).isEqualTo(neighbours);
        }
    }

    private static FeatureStatistics statistics(FeatureMatrix... portions) {
        FeatureSpace space = new FeatureSpace("Six", "cd".repeat(32), "none", 6);
        FeatureStatistics.Accumulator accumulator = new FeatureStatistics.Accumulator(space, "x");
        for (FeatureMatrix portion : portions) {
            accumulator.add(portion);
        }
        return accumulator.finish();
    }

    @Test
    void copies_of_training_images_are_found() {
        FeatureMatrix training = gaussian(500, 20, 1, 7);
        FeatureMatrix heldOut = gaussian(200, 20, 1, 8);
        FeatureMatrix fresh = gaussian(200, 20, 1, 9);
        FeatureMatrix copied = FeatureMatrix.join(List.of(training.slice(0, 100), fresh.slice(0, 100)));
        assertThat(Memorisation.of(copied, heldOut, training).copies()).isBetween(0.5, 0.56);
        assertThat(Memorisation.of(fresh, heldOut, training).copies()).isLessThan(0.05);
        Memorisation.Neighbour found = Memorisation.nearest(training.slice(42, 43), training)[0];
        assertThat(found.row()).isEqualTo(42);
        assertThat(found.distance()).isZero();
    }

    @Test
    void sets_judged_one_after_another_against_one_reference_score_as_each_does_alone() {
        FeatureSet real = Golden.set(Golden.lcg(500, 16, 20, 1, 0));
        Reference reference = Quality.reference(real);
        for (int seed : new int[] {21, 22}) {
            FeatureSet judged = Golden.set(Golden.lcg(300, 16, seed, 1.1, 0.1));
            assertThat(Quality.of(reference, judged, SmallSamples.REFUSE))
                    .isEqualTo(Quality.of(real, judged, SmallSamples.REFUSE));
        }
    }

    @Test
    void real_against_real_lies_far_below_real_against_something_else() {
        FeatureSet real = Golden.set(Golden.lcg(800, 16, 10, 1, 0));
        Quality floor = Quality.halfAgainstHalf(real, 1, SmallSamples.REFUSE);
        Quality other =
                Quality.of(real.subset(400, 2), Golden.set(Golden.lcg(400, 16, 11, 1.1, 0.1)), SmallSamples.REFUSE);
        assertThat(floor.images()).isEqualTo(400);
        assertThat(floor.frechet().value())
                .isPositive()
                .isLessThan(other.frechet().value() / 3);
        assertThat(floor.kernel()).isLessThan(other.kernel() / 3);
        Quality beside = Quality.floor(
                real.subset(400, 2), Golden.set(Golden.lcg(600, 16, 12, 1, 0)), 400, 3, SmallSamples.REFUSE);
        assertThat(beside.frechet().value()).isBetween(0.0, other.frechet().value() / 3);
        assertThat(beside.images()).isEqualTo(400);
        assertThat(other.measures().keySet())
                .extracting(Measure::name)
                .containsExactly(
                        "FD-Synthetic@400",
                        "KD-Synthetic@400",
                        "Precision-Synthetic@400",
                        "Recall-Synthetic@400",
                        "Density-Synthetic@400",
                        "Coverage-Synthetic@400");
    }

    @Test
    void classes_are_compared_image_by_image() {
        FeatureMatrix logits = FeatureMatrix.of(new double[][] {{0, 1, 0}, {2, 1, 0}, {0, 0, 0}, {-3, -2, -1}});
        assertThat(ClassAgreement.classes(logits)).containsExactly(1, 0, 0, 2);
        assertThat(ClassAgreement.share(ClassAgreement.classes(logits), new int[] {1, 0, 1, 2}))
                .isEqualTo(0.75);
    }

    @Test
    void squared_errors_are_averaged_per_bin_of_time() {
        TimeBins bins = new TimeBins(4);
        bins.addSquaredError(0.1, new float[] {1, 2}, new float[] {1, 0}); // 2
        bins.addSquaredError(0.2, new float[] {0, 0}, new float[] {2, 2}); // 4
        bins.addSquaredError(1.0, new float[] {1}, new float[] {0}); // 1
        assertThat(bins.means()).containsExactly(3, Double.NaN, Double.NaN, 1);
        assertThat(bins.counts()).containsExactly(2, 0, 0, 1);
        assertThat(bins.meanOverTime()).isEqualTo(2);
        assertThat(bins.centres()).containsExactly(0.125, 0.375, 0.625, 0.875);
        assertThatThrownBy(() -> bins.add(1.5, 0)).hasMessageContaining("1.5");
    }

    private static FeatureMatrix gaussian(int rows, int columns, double scale, long seed) {
        Random random = new Random(seed);
        double[][] values = new double[rows][columns];
        for (double[] row : values) {
            for (int k = 0; k < columns; k++) {
                row[k] = scale * random.nextGaussian();
            }
        }
        return FeatureMatrix.of(values);
    }
}
