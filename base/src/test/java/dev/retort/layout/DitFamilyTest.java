package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.SamplingPlan;
import org.junit.jupiter.api.Test;

class DitFamilyTest {
    private static double[] times(DitFamily family) {
        return SamplingPlan.of(family.process(), family.sampling(), false).times();
    }

    @Test
    void each_family_is_sampled_at_the_times_of_its_own_scripts() {
        // the original's respacing visits the first and the last level
        assertThat(times(DitFamily.DIT)).hasSize(250).startsWith(999, 995, 991).endsWith(8, 4, 0);
        // the library's leading grid never visits the noisiest
        assertThat(times(DitFamily.DIFFUSERS)).hasSize(50).startsWith(980, 960).endsWith(20, 0);
        assertThat(times(DitFamily.SIT)).hasSize(249).startsWith(1);
    }
}
