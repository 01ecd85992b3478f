package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GuidanceTest {
    @Test
    void both_forms_mean_the_same_number() {
        assertThat(Guidance.offset(3).standardScaleAt(0.5)).isEqualTo(4);
        assertThat(Guidance.standard(4).standardScaleAt(0.5)).isEqualTo(4);
        assertThat(Guidance.offset(0).actsAt(0.5)).isFalse();
        assertThat(Guidance.NONE.actsAt(0.5)).isFalse();
        assertThat(Guidance.standard(0).actsAt(0.5)).isTrue();
    }

    @Test
    void outside_its_interval_guidance_rests() {
        Guidance guidance = Guidance.standard(4).within(0.2, 0.8).onChannels(3);
        assertThat(guidance.standardScaleAt(0.1)).isEqualTo(1);
        assertThat(guidance.standardScaleAt(0.2)).isEqualTo(4);
        assertThat(guidance.standardScaleAt(0.8)).isEqualTo(4);
        assertThat(guidance.actsAt(0.9)).isFalse();
        assertThat(guidance.guidedChannels(4)).isEqualTo(3);
        assertThat(Guidance.standard(4).guidedChannels(4)).isEqualTo(4);
    }

    @Test
    void settings_out_of_range_are_refused() {
        assertThatThrownBy(() -> Guidance.standard(Double.NaN)).hasMessageContaining("scale is NaN");
        assertThatThrownBy(() -> Guidance.standard(2).within(1, 0)).hasMessageContaining("1.0..0.0");
        assertThatThrownBy(() -> Guidance.standard(2).onChannels(5).guidedChannels(4))
                .hasMessageContaining("5 channels");
    }
}
