package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TimeGridTest {
    private static final DiscreteSchedule SD = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
    private static final Offset<Double> TIGHT = within(1e-12);

    @Test
    void leading_trailing_and_linspace_are_those_of_the_libraries() {
        assertThat(TimeGrid.leading(SD, 5, 1).times()).containsExactly(801, 601, 401, 201, 1);
        assertThat(TimeGrid.linspace(SD, 11).withoutLastCall().times())
                .startsWith(999, 899, 799, 699, 599, 500)
                .hasSize(10);
        assertThat(TimeGrid.trailing(SD, 4).times()).containsExactly(999, 749, 499, 249);
        assertThat(TimeGrid.fractional(SD, 7).times()).startsWith(999, 832.5, 666, 499.5);
    }

    @Test
    void trailing_rounds_ties_to_even_and_never_goes_below_zero() {
        // 1000 - 2.5 * 62.5... at 16 steps: 937.5 - 1 rounds to 937 (even 938 - 1).
        assertThat(TimeGrid.trailing(SD, 16).times()[1]).isEqualTo(937);
        assertThat(TimeGrid.trailing(SD, 16).times()[3]).isEqualTo(811);
        for (int n = 1; n <= 1000; n++) {
            double[] times = TimeGrid.trailing(SD, n).times();
            assertThat(times).hasSize(n);
            assertThat(times[n - 1]).isBetween(0., 999.);
        }
    }

    @Test
    void consistency_grids_take_evenly_from_the_distilled_times() {
        assertThat(TimeGrid.consistency(SD, 4, 50).times()).containsExactly(999, 759, 499, 259);
        assertThat(TimeGrid.consistency(SD, 8, 50).times()).containsExactly(999, 879, 759, 639, 499, 379, 259, 139);
    }

    @Test
    void karras_times_of_the_stable_diffusion_table() {
        assertThat(TimeGrid.karras(SD, 10).withWholeTimes().times())
                .containsExactly(999, 916, 815, 687, 523, 327, 146, 41, 7, 0);
        TimeGrid edm = TimeGrid.karras(new KarrasSchedule(), 18);
        assertThat(edm.from(0).sigma()).isEqualTo(80);
        assertThat(edm.from(17).sigma()).isEqualTo(0.002);
        assertThat(edm.to(17).sigma()).isZero();
        double part = Math.pow(80, 1 / 7.) + 5 / 17. * (Math.pow(0.002, 1 / 7.) - Math.pow(80, 1 / 7.));
        assertThat(edm.from(5).sigma()).isCloseTo(Math.pow(part, 7), within(1e-10));
    }

    @Test
    void dit_respacing_follows_its_accumulated_rounding() {
        assertThat(Respacing.times("7", 1000)).containsExactly(0, 166, 333, 500, 666, 832, 999);
        assertThat(Respacing.times("1", 1000)).containsExactly(0);
        assertThat(Respacing.times("1,1", 1000)).containsExactly(0, 500);
        assertThat(Respacing.times("ddim50", 1000)).hasSize(50).endsWith(960, 980);
        assertThat(Respacing.times("50", 1000))
                .startsWith(0, 20, 41, 61, 82, 102)
                .endsWith(938, 958, 979, 999);
        assertThat(Respacing.times("25", 1000)).startsWith(0, 42, 83, 125, 166, 208);
        assertThat(Respacing.times("250", 1000)).hasSize(250).endsWith(987, 991, 995, 999);
        assertThat(TimeGrid.respaced(SD, "7").times()).containsExactly(999, 832, 666, 500, 333, 166, 0);
    }

    @Test
    void flow_grids_shift_towards_the_noise() {
        FlowLinear flow = new FlowLinear();
        assertThat(TimeGrid.flow(flow, 4, 1).times()).containsExactly(1, 0.75, 0.5, 0.25);
        assertThat(TimeGrid.flow(flow, 4, 3).times()).containsExactly(new double[] {1, 0.9, 0.75, 0.5}, TIGHT);
        assertThat(TimeGrid.flow(flow, 4, 3).to(3).sigma()).isZero();
        double[] library = TimeGrid.flowDownTo(new FlowLinear(1000), 4, TimeGrid.shifted(0.001, 3), 3)
                .times();
        assertThat(library).containsExactly(new double[] {1000, 857.69, 602.15, 8.93}, within(0.01));
        assertThat(TimeGrid.uniform(new TrigFlow(1), 2).times()).containsExactly(Math.PI / 2, Math.PI / 4);
    }

    @Test
    void grids_that_cannot_be_are_refused_with_the_numbers() {
        assertThatThrownBy(() -> TimeGrid.leading(SD, 1000, 1)).hasMessageContaining("offset is 1");
        assertThatThrownBy(() -> TimeGrid.trailing(SD, 0)).hasMessageContaining("steps is 0, expected 1..1000");
        assertThatThrownBy(() -> TimeGrid.trailing(SD, 1001)).hasMessageContaining("steps is 1001");
        assertThatThrownBy(() -> TimeGrid.consistency(SD, 51, 50)).hasMessageContaining("steps is 51, expected 1..50");
        assertThatThrownBy(() -> TimeGrid.flow(new FlowLinear(), 4, 0)).hasMessageContaining("shift is 0.0");
        for (String spec : new String[] {"", "0", "ten", "10,", "ddim", "ddim999", "1001", "600,600"}) {
            assertThatThrownBy(() -> Respacing.times(spec, 1000))
                    .as(spec)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("respacing");
        }
    }
}
