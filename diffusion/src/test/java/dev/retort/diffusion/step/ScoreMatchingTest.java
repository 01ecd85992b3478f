package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.GaussianMixture;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.PointClouds;
import dev.retort.diffusion.TimeGrid;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

/** Distribution matching with exact scores, and the scalar losses around it. */
class ScoreMatchingTest {
    private static final GaussianMixture DATA = GaussianMixture.ring(4, 1, 0.3);
    private static final double[] SHIFT = {0.3, -0.2};

    private static GaussianMixture shifted() {
        double[][] means = new double[4][];
        for (int k = 0; k < 4; k++) {
            means[k] = new double[] {DATA.mean(k)[0] + SHIFT[0], DATA.mean(k)[1] + SHIFT[1]};
        }
        return new GaussianMixture(new double[] {1, 1, 1, 1}, means, new double[] {0.3, 0.3, 0.3, 0.3});
    }

    @Test
    void the_gradient_pulls_a_shifted_student_back() {
        GaussianMixture student = shifted();
        double[][] made = PointClouds.of(student, 2000, 1);
        double[][] noise = PointClouds.noise(2000, 2);
        for (NoiseSchedule schedule : List.of(new FlowLinear(), new KarrasSchedule())) {
            for (double ratio : new double[] {0.2, 1, 5}) {
                TimeGrid.Point at = schedule.pointOfRatio(ratio);
                double along = 0;
                double length = 0;
                for (int b = 0; b < made.length; b++) {
                    double[] x = {
                        at.alpha() * made[b][0] + at.sigma() * noise[b][0],
                        at.alpha() * made[b][1] + at.sigma() * noise[b][1]
                    };
                    double[] fake = student.x0(x, at.alpha(), at.sigma());
                    double[] real = DATA.x0(x, at.alpha(), at.sigma());
                    double weight = DistributionMatching.weight(
                            (Math.abs(made[b][0] - real[0]) + Math.abs(made[b][1] - real[1])) / 2);
                    for (int d = 0; d < 2; d++) {
                        double gradient = weight * (fake[d] - real[d]);
                        along += gradient * SHIFT[d];
                        length += gradient * gradient;
                    }
                }
                // A step against the gradient goes back along the shift.
                assertThat(along / Math.sqrt(length))
                        .as("%s at %s", schedule.name(), ratio)
                        .isGreaterThan(1);
            }
        }
    }

    /** The mean slope of score identity as a student moves along the shift, the fake staying as it is; and the mean of its sizes. */
    private static double[] identitySlope(GaussianMixture student, double alpha, TimeGrid.Point at) {
        ScoreIdentity loss = new ScoreIdentity(alpha);
        double[][] made = PointClouds.of(student, 4000, 1);
        double[][] noise = PointClouds.noise(4000, 2);
        double h = 1e-5;
        double sum = 0;
        double size = 0;
        for (int b = 0; b < made.length; b++) {
            double[][] fake = new double[3][];
            double[][] real = new double[3][];
            for (int side = -1; side <= 1; side++) {
                double[] x = new double[2];
                for (int d = 0; d < 2; d++) {
                    x[d] = at.alpha() * (made[b][d] + side * h * SHIFT[d]) + at.sigma() * noise[b][d];
                }
                fake[1 + side] = student.x0(x, at.alpha(), at.sigma());
                real[1 + side] = DATA.x0(x, at.alpha(), at.sigma());
            }
            double weight = DistributionMatching.weight(
                    (Math.abs(made[b][0] - real[1][0]) + Math.abs(made[b][1] - real[1][1])) / 2);
            double slope = 0;
            for (int d = 0; d < 2; d++) {
                double realMoves = (real[2][d] - real[0][d]) / (2 * h);
                double fakeMoves = (fake[2][d] - fake[0][d]) / (2 * h);
                slope += weight
                        * (loss.byTeacher(real[1][d], fake[1][d], made[b][d]) * realMoves
                                + loss.byFake(real[1][d], fake[1][d], made[b][d]) * fakeMoves
                                + loss.byMade(real[1][d], fake[1][d]) * SHIFT[d]);
            }
            sum += slope / made.length;
            size += Math.abs(slope) / made.length;
        }
        return new double[] {sum, size};
    }

    @Test
    void score_identity_pulls_a_shifted_student_back_and_moves_nothing_where_both_agree() {
        for (NoiseSchedule schedule : List.of(new FlowLinear(), new KarrasSchedule())) {
            for (double ratio : new double[] {0.2, 1, 5}) {
                TimeGrid.Point at = schedule.pointOfRatio(ratio);
                for (double alpha : new double[] {1, 1.2}) {
                    double[] slope = identitySlope(shifted(), alpha, at);
                    // A step against the gradient goes back along the shift.
                    assertThat(slope[0])
                            .as("%s at %s, alpha %s", schedule.name(), ratio, alpha)
                            .isGreaterThan(0.1 * slope[1]);
                    assertThat(identitySlope(DATA, alpha, at)[1]).isLessThan(1e-12);
                }
            }
        }
    }

    @Test
    void slopes_of_score_identity_are_its_derivatives() {
        double h = 1e-5;
        ScoreIdentity loss = new ScoreIdentity(1.2);
        assertThat(loss.byTeacher(0.3, -0.2, 0.7))
                .isCloseTo((loss.of(0.3 + h, -0.2, 0.7) - loss.of(0.3 - h, -0.2, 0.7)) / (2 * h), within(1e-9));
        assertThat(loss.byFake(0.3, -0.2, 0.7))
                .isCloseTo((loss.of(0.3, -0.2 + h, 0.7) - loss.of(0.3, -0.2 - h, 0.7)) / (2 * h), within(1e-9));
        assertThat(loss.byMade(0.3, -0.2))
                .isCloseTo((loss.of(0.3, -0.2, 0.7 + h) - loss.of(0.3, -0.2, 0.7 - h)) / (2 * h), within(1e-9));
    }

    @Test
    void weights_of_a_batch_have_mean_1_so_that_equal_ratios_change_nothing() {
        for (FDivergence divergence : FDivergence.values()) {
            assertThat(divergence.weights(new double[] {3, 3, 3}))
                    .containsExactly(new double[] {1, 1, 1}, within(1e-5));
            double[] weights = divergence.weights(new double[] {0.2, 1, 7});
            assertThat(weights[0] + weights[1] + weights[2]).isCloseTo(3, within(1e-5));
        }
    }

    @Test
    void divergences_that_cover_modes_weigh_rare_samples_more() {
        for (FDivergence covers : List.of(
                FDivergence.FORWARD_KL,
                FDivergence.JENSEN_SHANNON,
                FDivergence.SQUARED_HELLINGER,
                FDivergence.JEFFREYS)) {
            assertThat(covers.weight(4)).isGreaterThan(covers.weight(0.25));
        }
        for (FDivergence seeks : List.of(FDivergence.SOFTENED_REVERSE_KL, FDivergence.NEYMAN)) {
            assertThat(seeks.weight(4)).isLessThan(seeks.weight(0.25));
        }
        assertThat(FDivergence.REVERSE_KL.weight(7)).isEqualTo(1);
        assertThat(FDivergence.JENSEN_SHANNON.relative(3)).isCloseTo(1.5, within(1e-12));
        for (FDivergence divergence : FDivergence.values()) {
            assertThat(divergence.relative(1)).isEqualTo(1);
        }
    }

    @Test
    void ratios_are_limited_and_are_compared_with_those_at_times_of_the_same_bin() {
        assertThat(DensityRatios.ratio(new double[] {100, 100}, 0.1, 10)).isEqualTo(10);
        assertThat(DensityRatios.ratio(new double[] {-100}, 0.1, 10)).isEqualTo(0.1);
        assertThat(DensityRatios.ratio(new double[] {1, -1}, 0.1, 10)).isEqualTo(1);
        assertThat(DensityRatios.level(3, 2.5)).isCloseTo(3 / 2.5, within(1e-5));
        assertThat(DoubleStream.of(-0.1, 0, 0.24, 0.25, 0.6, 1, 2).mapToInt(time -> DensityRatios.bin(time, 4, 0, 1)))
                .containsExactly(0, 0, 0, 1, 2, 3, 3);
    }

    @Test
    void slopes_of_scalar_losses_are_their_derivatives() {
        double h = 1e-6;
        for (AdversarialLoss loss : AdversarialLoss.values()) {
            for (double logit : new double[] {-60, -3, -0.4, 0.2, 2.5, 60}) {
                assertThat(loss.realSlope(logit))
                        .isCloseTo((loss.real(logit + h) - loss.real(logit - h)) / (2 * h), within(1e-8));
                assertThat(loss.fakeSlope(logit))
                        .isCloseTo((loss.fake(logit + h) - loss.fake(logit - h)) / (2 * h), within(1e-8));
                assertThat(loss.generatorSlope(logit))
                        .isCloseTo((loss.generator(logit + h) - loss.generator(logit - h)) / (2 * h), within(1e-8));
            }
        }
        assertThat(AdversarialLoss.NON_SATURATING.real(-800)).isEqualTo(800);
        assertThat(AdversarialLoss.NON_SATURATING.fake(0)).isCloseTo(Math.log(2), within(1e-15));
        assertThat(AdversarialLoss.HINGE.fake(-2)).isZero();
        PseudoHuber huber = new PseudoHuber(0.03);
        for (double square : new double[] {1e-4, 0.2, 40}) {
            double step = 1e-6 * square;
            assertThat(huber.slope(square))
                    .isCloseTo((huber.of(square + step) - huber.of(square - step)) / (2 * step), within(1e-7));
        }
        assertThat(new PseudoHuber(0).of(9)).isEqualTo(3);
        assertThat(new PseudoHuber(0).slope(0)).isZero();
        assertThat(PseudoHuber.ofSize(10_000).c()).isEqualTo(0.054);
        assertThatThrownBy(() -> new PseudoHuber(-1)).hasMessageContaining("c is -1.0");
    }
}
