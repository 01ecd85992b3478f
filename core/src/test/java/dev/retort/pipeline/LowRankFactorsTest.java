package dev.retort.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.Purpose;
import dev.retort.diffusion.Rng;
import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.SingularOps_DDRM;
import org.junit.jupiter.api.Test;

/** Truncated decompositions beside whole ones. */
class LowRankFactorsTest {
    private static double[] random(int seed, int count) {
        Rng rng = Rng.at(seed, Purpose.NOISE, 0, 0);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = rng.nextGaussian();
        }
        return values;
    }

    @Test
    void singular_values_are_those_of_the_whole_decomposition() {
        for (int[] shape : new int[][] {{40, 70}, {70, 40}, {6, 50}}) {
            double[] values = random(1, shape[0] * shape[1]);
            double[] whole = SingularOps_DDRM.singularValues(new DMatrixRMaj(shape[0], shape[1], true, values.clone()));
            LowRankFactors factors = LowRankFactors.of(values, shape[0], shape[1], 5);
            double[] largest = Arrays.copyOf(whole, factors.rank());
            // flat as the spectrum of noise is, the last of them come out a little low
            assertThat(factors.singular()).containsExactly(largest, within(0.01 * whole[0]));
            assertThat(factors.energy())
                    .isCloseTo(Arrays.stream(whole).map(s -> s * s).sum(), within(1e-8 * factors.energy()));
        }
    }

    @Test
    void a_matrix_of_low_rank_is_found_exactly() {
        double[] b = random(2, 30 * 3);
        double[] a = random(3, 3 * 20);
        double[] product = new double[30 * 20];
        for (int i = 0; i < 30; i++) {
            for (int j = 0; j < 20; j++) {
                for (int k = 0; k < 3; k++) {
                    product[i * 20 + j] += b[i * 3 + k] * a[k * 20 + j];
                }
            }
        }
        LowRankFactors factors = LowRankFactors.of(product.clone(), 30, 20, 3);
        for (int i = 0; i < 30; i++) {
            for (int j = 0; j < 20; j++) {
                double sum = 0;
                for (int k = 0; k < 3; k++) {
                    sum += factors.b()[i * 3 + k] * (double) factors.a()[k * 20 + j];
                }
                assertThat(sum).isCloseTo(product[i * 20 + j], within(2e-6));
            }
        }
    }
}
