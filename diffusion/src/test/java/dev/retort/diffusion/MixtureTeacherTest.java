package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class MixtureTeacherTest {
    private static final MixtureTeacher RING = MixtureTeacher.ring(8, 2, 0.1, 2);

    @Test
    void a_class_is_the_mixture_of_its_components() {
        GaussianMixture even = RING.of(0);
        assertThat(even.components()).isEqualTo(4);
        assertThat(even.mean(1)).containsExactly(RING.mixture().mean(2), within(1e-15));
        assertThat(even.weight(0)).isEqualTo(0.25);
        assertThat(RING.of(MixtureTeacher.NONE)).isSameAs(RING.mixture());
        assertThatThrownBy(() -> new MixtureTeacher(RING.mixture(), List.of(0))).hasMessageContaining("1 classes of 8");
    }

    @Test
    void classes_mixed_by_their_odds_say_what_the_whole_says() {
        double[] x = {0.7, -0.4};
        TimeGrid.Point at = new FlowLinear().point(0.6);
        double[] logs = new double[2];
        for (int label = 0; label < 2; label++) {
            logs[label] = RING.of(label).logDensity(x, at.alpha(), at.sigma());
        }
        double odds = 1 / (1 + Math.exp(logs[1] - logs[0]));
        double[] whole = RING.x0(x, at, MixtureTeacher.NONE);
        for (int d = 0; d < 2; d++) {
            double mixed = odds * RING.x0(x, at, 0)[d] + (1 - odds) * RING.x0(x, at, 1)[d];
            assertThat(mixed).isCloseTo(whole[d], within(1e-13));
        }
    }

    @Test
    void the_velocity_is_the_limit_of_small_ddim_steps() {
        double[] x = {0.7, -0.4};
        for (NoiseSchedule schedule : List.of(
                new FlowLinear(), new TrigFlow(0.5), new KarrasSchedule(), new CosineLogSnr(), new FlowLinear(1000))) {
            double time = schedule.timeOfRatio(0.8);
            double h = 1e-6 * schedule.noisiestTime();
            TimeGrid grid = new TimeGrid("short", List.of(schedule.point(time), schedule.point(time - h)));
            Plan plan = new Ddim().plan(new Process(schedule, Prediction.X0), grid);
            double[] landed = ArrayExecutor.run(
                    plan, scaled(x, 1 / plan.startScale()), RING.of(1).network(), k -> null, (k, x0, next) -> {});
            double[] velocity = RING.velocity(schedule, x, time, 1);
            for (int d = 0; d < 2; d++) {
                double wanted = (x[d] - landed[d]) / h;
                assertThat(velocity[d]).as(schedule.name()).isCloseTo(wanted, within(1e-4 * Math.abs(wanted)));
            }
        }
    }

    @Test
    void the_way_from_noise_ends_in_the_data_and_finds_every_mode() {
        FlowLinear schedule = new FlowLinear();
        double[][] made = PointClouds.noise(1000, 3);
        for (int i = 0; i < made.length; i++) {
            made[i] = RING.flow(schedule, made[i], 1, 0.002, 60, MixtureTeacher.NONE);
        }
        double[][] data = PointClouds.of(RING.mixture(), 1000, 4);
        double[][] others = PointClouds.of(RING.mixture(), 1000, 5);
        double floor = PointClouds.slicedWasserstein(data, others, 32);
        assertThat(floor).isBetween(0.005, 0.08);
        assertThat(PointClouds.slicedWasserstein(made, data, 32)).isLessThan(2 * floor);
        assertThat(PointClouds.modeCoverage(made, RING.mixture())).isEqualTo(1);
        assertThat(PointClouds.onModes(made, RING.mixture())).isGreaterThan(0.97);
    }

    @Test
    void the_measures_see_a_shift_and_missing_modes() {
        double[][] data = PointClouds.of(RING.mixture(), 2000, 4);
        double[][] shifted = PointClouds.of(RING.mixture(), 2000, 4);
        for (double[] point : shifted) {
            point[0] += 0.5;
        }
        // A shift by d is seen as d |cos| in each direction, 2 d / pi on average.
        assertThat(PointClouds.slicedWasserstein(data, shifted, 64)).isCloseTo(0.5 * 2 / Math.PI, within(1e-3));
        assertThat(PointClouds.slicedWasserstein(data, data, 64)).isZero();
        assertThat(PointClouds.modeCoverage(PointClouds.of(RING.of(0), 2000, 4), RING.mixture()))
                .isEqualTo(0.5);
        assertThat(PointClouds.onModes(PointClouds.noise(2000, 4), RING.mixture()))
                .isLessThan(0.2);
        assertThatThrownBy(() -> PointClouds.slicedWasserstein(data, new double[1][2], 4))
                .hasMessageContaining("2000 and 1");
    }

    @Test
    void guidance_moves_the_answer_beyond_that_of_the_class() {
        double[] x = {0.7, -0.4};
        TimeGrid.Point at = new FlowLinear().point(0.6);
        double[] plain = RING.output(Prediction.FLOW, x, at, 1);
        double[] none = RING.output(Prediction.FLOW, x, at, MixtureTeacher.NONE);
        double[] guided = RING.guided(Prediction.FLOW, x, at, 1, 3);
        assertThat(guided[0]).isCloseTo(none[0] + 3 * (plain[0] - none[0]), within(1e-14));
        assertThat(RING.guided(Prediction.FLOW, x, at, 1, 1)).containsExactly(plain, within(1e-14));
    }

    private static double[] scaled(double[] x, double factor) {
        return new double[] {factor * x[0], factor * x[1]};
    }
}
