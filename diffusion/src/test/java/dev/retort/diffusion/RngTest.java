package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RngTest {
    @Test
    void philox_gives_the_published_known_answers() {
        int[] out = new int[4];
        Rng.philox(0, 0, 0, 0, 0, 0, out);
        assertThat(out).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        Rng.philox(-1, -1, -1, -1, -1, -1, out);
        assertThat(out).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        Rng.philox(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, out);
        assertThat(out).containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    @Test
    void the_same_address_gives_the_same_numbers_and_every_part_of_it_matters() {
        long first = Rng.at(1, Purpose.NOISE, 2, 3).nextLong();
        assertThat(Rng.at(1, Purpose.NOISE, 2, 3).nextLong()).isEqualTo(first);
        Set<Long> others = new HashSet<>();
        others.add(Rng.at(2, Purpose.NOISE, 2, 3).nextLong());
        others.add(Rng.at(1L << 40, Purpose.NOISE, 2, 3).nextLong());
        others.add(Rng.at(1, Purpose.TIME, 2, 3).nextLong());
        others.add(Rng.at(1, Purpose.NOISE, 3, 3).nextLong());
        others.add(Rng.at(1, Purpose.NOISE, 2 + (1L << 40), 3).nextLong());
        others.add(Rng.at(1, Purpose.NOISE, 2, 4).nextLong());
        others.add(Rng.at(1, Purpose.NOISE, 2, 3 + (1L << 35)).nextLong());
        assertThat(others).hasSize(7).doesNotContain(first);
    }

    @Test
    void gaussians_are_pinned_so_that_no_change_of_code_changes_a_sample() {
        float[] values = new float[4];
        Rng.at(42, Purpose.SAMPLE_START, 0, 0).fillGaussian(values);
        assertThat(values).containsExactly(PINNED);
    }

    private static final float[] PINNED = {-1.6593657f, -1.2083001f, 0.45971715f, -1.3963335f};

    @Test
    void filling_in_parts_equals_filling_at_once() {
        float[] whole = new float[1001];
        float[] parts = new float[1001];
        Rng.at(7, Purpose.NOISE, 0, 0).fillGaussian(whole);
        Rng rng = Rng.at(7, Purpose.NOISE, 0, 0);
        rng.fillGaussian(parts, 0, 3);
        rng.fillGaussian(parts, 3, 500);
        rng.fillGaussian(parts, 503, 498);
        assertThat(parts).containsExactly(whole);
    }

    @Test
    void gaussians_have_the_moments_and_tails_of_the_normal_distribution() {
        int n = 1 << 21;
        float[] z = new float[n];
        Rng.at(3, Purpose.NOISE, 0, 0).fillGaussian(z);
        double[] moment = new double[5];
        int beyond2 = 0;
        int beyond4 = 0;
        for (float v : z) {
            double power = 1;
            for (int k = 0; k < 5; k++) {
                moment[k] += power / n;
                power *= v;
            }
            beyond2 += Math.abs(v) > 2 ? 1 : 0;
            beyond4 += Math.abs(v) > 4 ? 1 : 0;
        }
        double error = 1 / Math.sqrt(n);
        assertThat(moment[1]).isCloseTo(0, within(4 * error));
        assertThat(moment[2]).isCloseTo(1, within(4 * Math.sqrt(2) * error));
        assertThat(moment[3]).isCloseTo(0, within(4 * Math.sqrt(15) * error));
        assertThat(moment[4]).isCloseTo(3, within(4 * Math.sqrt(96) * error));
        assertThat(beyond2 / (double) n).isCloseTo(0.0455003, within(4 * Math.sqrt(0.0455) * error));
        assertThat(beyond4 / (double) n).isCloseTo(6.3342e-5, within(4 * Math.sqrt(6.3342e-5) * error));
    }

    @Test
    void neighbouring_streams_are_not_correlated() {
        int n = 1 << 16;
        float[] a = new float[n];
        float[] b = new float[n];
        double sum = 0;
        for (int stream = 0; stream < 8; stream++) {
            Rng.at(3, Purpose.NOISE, 0, stream).fillGaussian(a);
            Rng.at(3, Purpose.NOISE, 0, stream + 1).fillGaussian(b);
            for (int i = 0; i < n; i++) {
                sum += a[i] * b[i];
            }
        }
        assertThat(sum / (8 * n)).isCloseTo(0, within(4 / Math.sqrt(8 * n)));
    }

    @Test
    void normal_quantile_knows_its_textbook_values() {
        assertThat(NormalQuantile.at(0.5)).isZero();
        assertThat(NormalQuantile.at(0.975)).isCloseTo(1.959963984540054, within(1e-15));
        assertThat(NormalQuantile.at(0.84134474606854293)).isCloseTo(1, within(1e-15));
        assertThat(NormalQuantile.at(1e-20)).isCloseTo(-9.262340089798408, within(1e-14));
        assertThat(NormalQuantile.at(1e-3)).isCloseTo(-3.090232306167813, within(1e-14));
    }

    @Test
    void bounded_numbers_cover_their_range_evenly_and_refuse_an_empty_one() {
        int[] counts = new int[7];
        Rng rng = Rng.at(9, Purpose.TIME, 0, 0);
        for (int i = 0; i < 70_000; i++) {
            counts[rng.nextInt(7)]++;
        }
        assertThat(Arrays.stream(counts).min().getAsInt()).isGreaterThan(9_600);
        assertThat(Arrays.stream(counts).max().getAsInt()).isLessThan(10_400);
        assertThatThrownBy(() -> rng.nextInt(0)).hasMessageContaining("bound is 0");
        assertThatThrownBy(() -> Rng.at(0, Purpose.TIME, -1, 0)).hasMessageContaining("imagesSeen is -1");
    }

    @Test
    void a_permutation_holds_every_number_once() {
        int[] order = Rng.at(1, Purpose.SHUFFLE, 0, 0).permutation(1000);
        assertThat(Arrays.stream(order).sorted().toArray())
                .containsExactly(IntStream.range(0, 1000).toArray());
        assertThat(order).isNotEqualTo(IntStream.range(0, 1000).toArray());
    }

    @Test
    void no_two_purposes_share_a_code() {
        assertThat(Arrays.stream(Purpose.values()).map(Purpose::code)).doesNotHaveDuplicates();
    }
}
