package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class GaussianMixtureTest {
    private static final GaussianMixture MIXTURE =
            new GaussianMixture(new double[] {3, 1}, new double[][] {{1, 0.5}, {-1, 0.8}}, new double[] {0.3, 0.4});

    @Test
    void predicted_noise_is_the_negative_score_times_sigma() {
        double[] x = {0.2, 0.7};
        double h = 1e-5;
        for (double[] point : new double[][] {{0.8, 0.6}, {1, 3}, {0.3, 0.7}}) {
            double[] eps = MIXTURE.output(Prediction.EPSILON, x, point[0], point[1]);
            for (int d = 0; d < 2; d++) {
                double[] up = x.clone();
                double[] down = x.clone();
                up[d] += h;
                down[d] -= h;
                double score =
                        (MIXTURE.logDensity(up, point[0], point[1]) - MIXTURE.logDensity(down, point[0], point[1]))
                                / (2 * h);
                assertThat(eps[d]).isCloseTo(-point[1] * score, within(1e-8));
            }
        }
    }

    @Test
    void the_posterior_mean_is_the_average_of_the_clean_samples_behind_a_noised_one() {
        // Importance sampling: clean samples weighted with the likelihood of x.
        double[] x = {0.4, 0.5};
        double alpha = 0.7;
        double sigma = 0.6;
        double[] sum = new double[2];
        double total = 0;
        Rng rng = Rng.at(1, Purpose.DATA, 0, 0);
        for (int i = 0; i < 200_000; i++) {
            double[] x0 = MIXTURE.sample(rng);
            double square = 0;
            for (int d = 0; d < 2; d++) {
                square += Math.pow(x[d] - alpha * x0[d], 2);
            }
            double weight = Math.exp(-square / (2 * sigma * sigma));
            total += weight;
            for (int d = 0; d < 2; d++) {
                sum[d] += weight * x0[d];
            }
        }
        double[] mean = MIXTURE.x0(x, alpha, sigma);
        assertThat(sum[0] / total).isCloseTo(mean[0], within(0.01));
        assertThat(sum[1] / total).isCloseTo(mean[1], within(0.01));
    }

    @Test
    void without_noise_a_sample_is_its_own_mean_and_with_all_noise_the_data_mean() {
        assertThat(MIXTURE.x0(new double[] {0.3, 0.1}, 1, 0)).containsExactly(new double[] {0.3, 0.1}, within(1e-12));
        assertThat(MIXTURE.x0(new double[] {0.3, 0.1}, 0, 1)).containsExactly(new double[] {0.5, 0.575}, within(1e-12));
        assertThat(MIXTURE.shares(new double[] {1, 0.5}, 1, 0.01)[0]).isCloseTo(1, within(1e-6));
    }

    @Test
    void a_ring_has_its_components_on_a_circle() {
        GaussianMixture ring = GaussianMixture.ring(8, 2, 0.1);
        assertThat(ring.components()).isEqualTo(8);
        assertThat(ring.mean(2)).containsExactly(new double[] {0, 2}, within(1e-12));
        assertThat(ring.weight(3)).isEqualTo(0.125);
        assertThat(ring.deviation(0)).isEqualTo(0.1);
    }

    @Test
    void mixtures_that_do_not_fit_together_are_refused() {
        assertThatThrownBy(() -> new GaussianMixture(new double[] {1}, new double[][] {}, new double[] {1}))
                .hasMessageContaining("1 weights, 0 means");
        assertThatThrownBy(() -> new GaussianMixture(new double[] {0}, new double[][] {{1}}, new double[] {1}))
                .hasMessageContaining("weight 0.0");
    }
}
