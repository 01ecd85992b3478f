package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NoiseScheduleTest {
    private static final DiscreteSchedule SD = DiscreteSchedule.scaledLinear(1000, 0.00085, 0.012);
    private static final List<NoiseSchedule> ALL = List.of(
            DiscreteSchedule.linear(),
            SD,
            DiscreteSchedule.cosine(1000),
            SD.withZeroTerminalSnr(),
            new CosineLogSnr(),
            new FlowLinear(),
            new FlowLinear(1000),
            new KarrasSchedule(),
            new TrigFlow(0.5));

    @Test
    void forward_noising_and_velocity_agree_with_the_reference() {
        ReferenceTensors common = new ReferenceTensors(Shared.path("reference/schedulers/common.safetensors"));
        ReferenceTensors forward = new ReferenceTensors(Shared.path("reference/schedulers/forward.safetensors"));
        double[] clean = common.get("clean");
        double[] noise = common.get("clean_noise");
        double[] times = common.get("clean_t");
        Map<String, DiscreteSchedule> schedules = Map.of(
                "sd", SD,
                "dit", DiscreteSchedule.linear(),
                "cosine", DiscreteSchedule.cosine(1000),
                "sd-zero-snr", SD.withZeroTerminalSnr());
        for (Map.Entry<String, DiscreteSchedule> entry : schedules.entrySet()) {
            DiscreteSchedule schedule = entry.getValue();
            double[] bar = forward.get(entry.getKey() + ".alphas_cumprod");
            double[] betas = forward.get(entry.getKey() + ".betas");
            for (int t = 0; t < 1000; t++) {
                assertThat(schedule.alphaBar(t)).isCloseTo(bar[t], within(1e-8 + 2e-5 * bar[t]));
                // Behind zero terminal SNR their betas are one minus a single precision quotient of small numbers.
                boolean rescaled = entry.getKey().equals("sd-zero-snr");
                double rounding = rescaled ? 1e-6 + 5e-5 * betas[t] : 1e-9 + 2e-6 * betas[t];
                assertThat(schedule.beta(t)).isCloseTo(betas[t], within(rounding));
            }
            double[] noised = forward.get(entry.getKey() + ".add_noise");
            double[] velocity = forward.get(entry.getKey() + ".velocity");
            for (int i = 0; i < clean.length; i++) {
                double t = times[i / (clean.length / times.length)];
                double a = schedule.alpha(t);
                double s = schedule.sigma(t);
                assertThat(a * clean[i] + s * noise[i]).isCloseTo(noised[i], within(1e-5));
                assertThat(Prediction.V.targetFromX0(a, s) * clean[i] + Prediction.V.targetFromEps(a, s) * noise[i])
                        .isCloseTo(velocity[i], within(1e-5));
            }
        }
    }

    @Test
    void known_entries_of_the_stable_diffusion_table() {
        assertThat(SD.alphaBar(0)).isCloseTo(0.99915, within(1e-12));
        assertThat(SD.alphaBar(999)).isCloseTo(0.00466009, within(1e-8));
        assertThat(SD.noiseRatio(0)).isCloseTo(0.0291675, within(1e-6));
        assertThat(SD.noiseRatio(999)).isCloseTo(14.614649, within(1e-4));
        assertThat(SD.alpha(-1)).isEqualTo(1);
        assertThat(SD.sigma(-1)).isZero();
    }

    @Test
    void zero_terminal_snr_ends_in_pure_noise_and_keeps_its_beginning() {
        DiscreteSchedule pure = SD.withZeroTerminalSnr();
        assertThat(pure.alpha(999)).isZero();
        assertThat(pure.sigma(999)).isEqualTo(1);
        assertThat(pure.alphaBar(0)).isCloseTo(SD.alphaBar(0), within(1e-15));
        assertThat(pure.snr(999)).isZero();
    }

    @Test
    void noise_grows_with_time_and_a_noise_level_finds_its_time_again() {
        for (NoiseSchedule schedule : ALL) {
            double last = -1;
            for (int i = 1; i < 100; i++) {
                double time = schedule.cleanTime() + (schedule.noisiestTime() - schedule.cleanTime()) * i / 100;
                time = schedule instanceof DiscreteSchedule ? Math.rint(time) : time;
                double ratio = schedule.noiseRatio(time);
                assertThat(ratio).as("%s at %s", schedule.name(), time).isGreaterThan(last);
                assertThat(schedule.timeOfRatio(ratio)).isCloseTo(time, within(1e-9 * schedule.noisiestTime()));
                assertThat(schedule.logSnr(time)).isCloseTo(Math.log(schedule.snr(time)), within(1e-9));
                last = ratio;
            }
        }
    }

    @Test
    void fractional_times_of_a_table_interpolate_the_noise_ratio() {
        double ratio = SD.noiseRatio(400.25);
        assertThat(ratio).isCloseTo(0.75 * SD.noiseRatio(400) + 0.25 * SD.noiseRatio(401), within(1e-12));
        assertThat(SD.alpha(400.25) * SD.alpha(400.25) + SD.sigma(400.25) * SD.sigma(400.25))
                .isCloseTo(1, within(1e-14));
    }

    @Test
    void the_cosine_schedule_by_log_snr_covers_its_range() {
        CosineLogSnr cosine = new CosineLogSnr(-20, 20);
        assertThat(cosine.logSnr(0)).isCloseTo(20, within(1e-9));
        assertThat(cosine.logSnr(1)).isCloseTo(-20, within(1e-6));
        double b = Math.atan(Math.exp(-10));
        double a = Math.atan(Math.exp(10)) - b;
        assertThat(cosine.logSnr(0.3)).isCloseTo(-2 * Math.log(Math.tan(a * 0.3 + b)), within(1e-9));
        double lambda = cosine.logSnr(0.3);
        assertThat(cosine.alpha(0.3) * cosine.alpha(0.3)).isCloseTo(1 / (1 + Math.exp(-lambda)), within(1e-12));
    }

    @Test
    void the_other_schedules_are_what_their_papers_say() {
        assertThat(new FlowLinear().alpha(0.25)).isEqualTo(0.75);
        assertThat(new FlowLinear(1000).sigma(250)).isEqualTo(0.25);
        assertThat(new KarrasSchedule().alpha(7)).isEqualTo(1);
        assertThat(new KarrasSchedule().sigma(7)).isEqualTo(7);
        assertThat(new TrigFlow(0.5).sigma(0.6)).isCloseTo(0.5 * Math.sin(0.6), within(1e-15));
        assertThat(new TrigFlow(0.5).alpha(Math.PI / 2)).isZero();
    }

    @Test
    void names_and_hashes_tell_schedules_apart() {
        assertThat(ALL.stream().map(NoiseSchedule::name)).doesNotHaveDuplicates();
        assertThat(ALL.stream().map(NoiseSchedule::hash))
                .doesNotHaveDuplicates()
                .allMatch(h -> h.matches("[0-9a-f]{16}"));
        assertThat(DiscreteSchedule.linear().hash())
                .isEqualTo(DiscreteSchedule.linear().hash());
        assertThat(DiscreteSchedule.linear(1000, 1e-4, 0.0201).hash())
                .isNotEqualTo(DiscreteSchedule.linear().hash());
    }

    @Test
    void settings_and_times_out_of_range_are_refused_with_the_value() {
        assertThatThrownBy(() -> SD.alpha(1000))
                .hasMessageContaining("time is 1000.0")
                .hasMessageContaining("-1..999");
        assertThatThrownBy(() -> new FlowLinear().alpha(1.5)).hasMessageContaining("time is 1.5");
        assertThatThrownBy(() -> new CosineLogSnr(5, -5)).hasMessageContaining("logSnrMin is 5.0");
        assertThatThrownBy(() -> new KarrasSchedule(0, 80)).hasMessageContaining("sigmaMin is 0.0");
        assertThatThrownBy(() -> DiscreteSchedule.linear(0, 1e-4, 0.02)).hasMessageContaining("no entry");
        assertThatThrownBy(() -> DiscreteSchedule.ofBetas("mine", new double[] {0.1, 0}))
                .hasMessageContaining("alphaBar[1]");
    }
}
