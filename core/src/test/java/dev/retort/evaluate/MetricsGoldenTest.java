package dev.retort.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.evaluate.FrechetDistance.SmallSamples;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class MetricsGoldenTest {
    private static final Offset<Double> EXACT = within(1e-9);

    private final FeatureMatrix a = Golden.a();
    private final FeatureMatrix b = Golden.b();

    @Test
    void the_generator_is_the_one_of_the_reference() {
        assertThat(a.at(0, 0) + 0.5).isEqualTo(Golden.at("/lcg/seed12345_first4/0"));
        assertThat(a.at(0, 3) + 0.5).isEqualTo(Golden.at("/lcg/seed12345_first4/3"));
    }

    @Test
    void frechet_distance_equals_scipy_in_every_term() {
        FrechetDistance distance = FrechetDistance.between(
                Golden.set(a).statistics(), Golden.set(b).statistics());
        assertThat(distance.meanTerm()).isCloseTo(Golden.at("/fid_A_B/mean_term"), EXACT);
        assertThat(distance.trace1()).isCloseTo(Golden.at("/fid_A_B/tr1"), EXACT);
        assertThat(distance.trace2()).isCloseTo(Golden.at("/fid_A_B/tr2"), EXACT);
        assertThat(distance.traceRoot()).isCloseTo(Golden.at("/fid_A_B/tr_sqrt_scipy"), EXACT);
        assertThat(distance.value()).isCloseTo(Golden.at("/fid_A_B/fid_scipy"), EXACT);
    }

    @Test
    void frechet_distance_of_a_set_to_itself_is_zero_to_rounding() {
        FeatureStatistics same = Golden.set(a).statistics();
        assertThat(FrechetDistance.between(same, same).value()).isCloseTo(0, within(1e-12));
    }

    @Test
    void frechet_distance_of_singular_covariances_is_right_to_six_digits() {
        FrechetDistance distance = FrechetDistance.between(
                Golden.set(a.slice(0, 8)).statistics(),
                Golden.set(b.slice(0, 8)).statistics(),
                SmallSamples.ALLOW);
        assertThat(distance.value()).isCloseTo(Golden.at("/fid_rank_deficient_A8_B8/fid_symmetric"), within(1e-6));
        assertThat(distance.value()).isCloseTo(Golden.at("/fid_rank_deficient_A8_B8/fid_scipy"), within(1e-6));
    }

    @Test
    void kernel_distance_is_the_unbiased_one() {
        assertThat(KernelDistance.unbiased(a, b)).isCloseTo(Golden.at("/kid_A_B_full64/unbiased"), EXACT);
        assertThat(KernelDistance.unbiased(a.slice(0, 32), b.slice(0, 32)))
                .isCloseTo(Golden.at("/kid_first32_of_each/unbiased"), EXACT);
    }

    @Test
    void classifier_score_of_one_and_of_four_splits() {
        FeatureMatrix logits = Golden.lcg(64, 16, 12345, 8, 0);
        assertThat(ClassifierScore.of(logits, 1).mean()).isCloseTo(Golden.at("/is_logits_8A_splits1/mean"), EXACT);
        ClassifierScore four = ClassifierScore.of(logits, 4);
        assertThat(four.mean()).isCloseTo(Golden.at("/is_logits_8A_splits4/mean"), EXACT);
        assertThat(four.deviation()).isCloseTo(Golden.at("/is_logits_8A_splits4/std_population"), EXACT);
    }

    @Test
    void precision_recall_density_and_coverage_both_ways_round() {
        assertScores(PrecisionRecall.of(a, b, 3), "/pr_k3_real_A_gen_B");
        assertScores(PrecisionRecall.of(b, a, 3), "/pr_k3_real_B_gen_A");
        double[] radii = PrecisionRecall.squaredRadii(a, 3);
        for (int i = 0; i < 3; i++) {
            assertThat(Math.sqrt(radii[i])).isCloseTo(Golden.at("/pr_k3_real_A_gen_B/radius_real_first3/" + i), EXACT);
        }
    }

    @Test
    void cmmd_formula() {
        assertThat(Cmmd.of(a, b)).isCloseTo(Golden.at("/cmmd_on_unit_rows_A_B"), EXACT);
    }

    private static void assertScores(PrecisionRecall scores, String pointer) {
        assertThat(scores.precision()).isCloseTo(Golden.at(pointer + "/precision"), EXACT);
        assertThat(scores.recall()).isCloseTo(Golden.at(pointer + "/recall"), EXACT);
        assertThat(scores.density()).isCloseTo(Golden.at(pointer + "/density"), EXACT);
        assertThat(scores.coverage()).isCloseTo(Golden.at(pointer + "/coverage"), EXACT);
    }
}
