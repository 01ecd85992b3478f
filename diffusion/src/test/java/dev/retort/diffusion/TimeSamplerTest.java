package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TimeSamplerTest {
    @Test
    void uniform_times_are_whole_on_a_table_and_real_elsewhere() {
        Rng rng = Rng.at(5, Purpose.TIME, 0, 0);
        double sum = 0;
        for (int i = 0; i < 20_000; i++) {
            double t = TimeSampler.UNIFORM.sample(DiscreteSchedule.linear(), rng);
            assertThat(t).isEqualTo(Math.rint(t)).isBetween(0., 999.);
            sum += t / 20_000;
        }
        assertThat(sum).isCloseTo(499.5, within(8.));
        double real = 0;
        for (int i = 0; i < 20_000; i++) {
            double t = TimeSampler.UNIFORM.sample(new FlowLinear(), rng);
            assertThat(t).isGreaterThan(0).isLessThanOrEqualTo(1);
            real += t / 20_000;
        }
        assertThat(real).isCloseTo(0.5, within(0.008));
    }

    @Test
    void logit_normal_times_have_their_mean_and_deviation_in_the_logit() {
        Rng rng = Rng.at(6, Purpose.TIME, 0, 0);
        TimeSampler sampler = new TimeSampler.LogitNormal(0.4, 1.3);
        double mean = 0;
        double squares = 0;
        int n = 50_000;
        for (int i = 0; i < n; i++) {
            double t = sampler.sample(new FlowLinear(), rng);
            double logit = Math.log(t / (1 - t));
            mean += logit / n;
            squares += logit * logit / n;
        }
        assertThat(mean).isCloseTo(0.4, within(0.025));
        assertThat(Math.sqrt(squares - mean * mean)).isCloseTo(1.3, within(0.02));
        double t = sampler.sample(DiscreteSchedule.linear(), rng);
        assertThat(t).isEqualTo(Math.rint(t)).isBetween(0., 999.);
    }

    @Test
    void a_deviation_of_nothing_is_refused() {
        assertThatThrownBy(() -> new TimeSampler.LogitNormal(0, 0)).hasMessageContaining("std is 0.0");
    }
}
