package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
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

    private static List<TimeSampler> all(NoiseSchedule schedule) {
        double from = schedule.timeOfRatio(0.05);
        double to = schedule.timeOfRatio(4);
        return List.of(
                TimeSampler.UNIFORM,
                new TimeSampler.LogitNormal(-0.4, 1),
                new TimeSampler.Shifted(3),
                new TimeSampler.LogNormal(-1.1, 1.2),
                new TimeSampler.LogStudent(-0.8, 1.6, 2.7),
                new TimeSampler.Polynomial(0.01, 20, 7),
                new TimeSampler.Truncated(TimeSampler.UNIFORM, from, to),
                new TimeSampler.Truncated(new TimeSampler.LogNormal(-1.1, 2), from, to),
                new TimeSampler.Truncated(new TimeSampler.LogStudent(0, 1.5, 0.01), from, to));
    }

    @Test
    void the_share_below_a_quantile_is_the_one_asked_for() {
        for (NoiseSchedule schedule :
                List.of(new FlowLinear(), new FlowLinear(1000), new TrigFlow(0.5), new KarrasSchedule())) {
            for (TimeSampler sampler : all(schedule)) {
                double before = Double.NEGATIVE_INFINITY;
                for (double share : new double[] {1e-3, 0.02, 0.2, 0.5, 0.77, 0.98, 0.999}) {
                    double time = sampler.quantile(schedule, share);
                    assertThat(time).as("%s on %s", sampler, schedule.name()).isGreaterThan(before);
                    assertThat(sampler.share(schedule, time))
                            .as("%s on %s at %s", sampler, schedule.name(), share)
                            .isCloseTo(share, within(1e-11));
                    before = time;
                }
            }
        }
    }

    @Test
    void draws_fall_as_the_quantiles_say() {
        int n = 20_000;
        for (NoiseSchedule schedule : List.of(new FlowLinear(), DiscreteSchedule.linear())) {
            for (TimeSampler sampler : all(schedule)) {
                int[] below = new int[9];
                double[] marks = new double[9];
                for (int k = 0; k < 9; k++) {
                    marks[k] = sampler.quantile(schedule, (k + 1) / 10.);
                }
                for (int i = 0; i < n; i++) {
                    double time = sampler.sample(schedule, Rng.at(7, Purpose.TIME, i, 0));
                    for (int k = 0; k < 9; k++) {
                        below[k] += time <= marks[k] ? 1 : 0;
                    }
                }
                for (int k = 0; k < 9; k++) {
                    assertThat(below[k] / (double) n)
                            .as("%s on %s, tenth %s", sampler, schedule.name(), k + 1)
                            .isCloseTo(sampler.share(schedule, marks[k]), within(0.015));
                }
            }
        }
    }

    @Test
    void quantiles_of_noise_are_those_of_the_normal_distribution() {
        // z of 0.975 and of 0.8.
        double high = 1.959963984540054;
        double middle = 0.8416212335729143;
        TimeSampler sampler = new TimeSampler.LogNormal(-1, 1.4);
        assertThat(sampler.quantile(new KarrasSchedule(), 0.975)).isCloseTo(Math.exp(-1 + 1.4 * high), within(1e-12));
        double flow = sampler.quantile(new FlowLinear(), 0.2);
        assertThat(Math.log(flow / (1 - flow))).isCloseTo(-1 - 1.4 * middle, within(1e-12));
        double arc = sampler.quantile(new TrigFlow(0.5), 0.8);
        assertThat(Math.log(0.5 * Math.tan(arc))).isCloseTo(-1 + 1.4 * middle, within(1e-12));
        assertThat(new TimeSampler.Shifted(3).quantile(new FlowLinear(1000), 0.25))
                .isCloseTo(500, within(1e-10));
        assertThat(new TimeSampler.Polynomial(1, 128, 7).quantile(new KarrasSchedule(), 0.5))
                .isCloseTo(Math.pow(1.5, 7), within(1e-10));
        for (double z : new double[] {-9, -4, -3, -1, 0, 0.4, 2.9, 3.1, 5}) {
            double share = NormalShare.at(z);
            assertThat(NormalQuantile.at(share)).isCloseTo(z, within(z > 4 ? 1e-9 : 1e-13 * (1 + Math.abs(z))));
        }
    }

    @Test
    void students_distribution_agrees_with_its_closed_forms() {
        for (double share : new double[] {1e-6, 0.01, 0.3, 0.5, 0.9, 0.9999}) {
            assertThat(StudentT.quantile(share, 1))
                    .isCloseTo(-1 / Math.tan(Math.PI * share), within(1e-14 + 1e-11 / share / (1 - share)));
            double two = (2 * share - 1) / Math.sqrt(2 * share * (1 - share));
            assertThat(StudentT.quantile(share, 2)).isCloseTo(two, within(1e-12 + 1e-11 * Math.abs(two)));
        }
        for (double t : new double[] {-40, -1.5, -0.1, 0.2, 3}) {
            assertThat(StudentT.share(t, 1)).isCloseTo(0.5 + Math.atan(t) / Math.PI, within(1e-14));
            double four = t / Math.sqrt(4 + t * t);
            assertThat(StudentT.share(t, 4)).isCloseTo(0.5 + 0.75 * (four - Math.pow(four, 3) / 3), within(1e-14));
            assertThat(StudentT.share(t, 1e7)).isCloseTo(NormalShare.at(t), within(1e-7));
        }
    }

    @Test
    void neighbours_on_a_grid_are_drawn_as_often_as_their_interval_weighs() {
        KarrasSchedule schedule = new KarrasSchedule();
        List<Double> times = new ArrayList<>();
        for (TimeGrid.Point point : TimeGrid.karras(schedule, 11).points()) {
            times.add(0, point.sigma());
        }
        times.remove(0); // no noise
        TimeSampler normal = new TimeSampler.LogNormal(-1.1, 2);
        TimeSampler.Discretised grid = new TimeSampler.Discretised(normal, times);
        int[] drawn = new int[11];
        int n = 100_000;
        for (int i = 0; i < n; i++) {
            double t = grid.sample(schedule, Rng.at(8, Purpose.TIME, i, 0));
            assertThat(grid.below(t)).isEqualTo(times.get(times.indexOf(t) - 1));
            drawn[times.indexOf(t)]++;
        }
        double whole = normal.share(schedule, 80) - normal.share(schedule, 0.002);
        double sum = 0;
        for (int i = 1; i < 11; i++) {
            // erf((ln sigma_i - mean) / (sqrt 2 std)) differences of the paper are these shares, doubled.
            double share = (normal.share(schedule, times.get(i)) - normal.share(schedule, times.get(i - 1))) / whole;
            sum += share;
            assertThat(drawn[i] / (double) n).isCloseTo(share, within(0.006));
            assertThat(grid.share(schedule, times.get(i))).isCloseTo(sum, within(1e-12));
        }
        assertThatThrownBy(() -> grid.below(0.002)).hasMessageContaining("0.002");
        assertThatThrownBy(() -> new TimeSampler.Discretised(normal, List.of(2., 1.)))
                .hasMessageContaining("is -1.0");
    }

    @Test
    void a_table_has_whole_times_and_each_as_often_as_its_share() {
        DiscreteSchedule table = DiscreteSchedule.linear(10, 0.01, 0.5);
        for (TimeSampler sampler : List.of(
                TimeSampler.UNIFORM,
                new TimeSampler.LogitNormal(0.4, 1.3),
                new TimeSampler.Shifted(3),
                new TimeSampler.LogNormal(0, 1))) {
            int[] drawn = new int[10];
            for (int i = 0; i < 20_000; i++) {
                drawn[(int) sampler.sample(table, Rng.at(9, Purpose.TIME, i, 0))]++;
            }
            // The last entry takes whatever noise lies beyond it.
            for (int k = 1; k < 9; k++) {
                double share = sampler.share(table, k) - sampler.share(table, k - 1);
                assertThat(drawn[k] / 20_000.).as("%s at %s", sampler, k).isCloseTo(share, within(0.012));
            }
        }
    }

    @Test
    void settings_without_a_meaning_are_refused() {
        assertThatThrownBy(() -> new TimeSampler.LogitNormal(0, 0)).hasMessageContaining("std is 0.0");
        assertThatThrownBy(() -> new TimeSampler.Truncated(TimeSampler.UNIFORM, 1, 1))
                .hasMessageContaining("to - from");
        TimeSampler narrow = new TimeSampler.Truncated(new TimeSampler.LogNormal(0, 0.001), 20, 80);
        assertThatThrownBy(() -> narrow.quantile(new KarrasSchedule(), 0.5))
                .hasMessageContaining("never falls between");
    }
}
