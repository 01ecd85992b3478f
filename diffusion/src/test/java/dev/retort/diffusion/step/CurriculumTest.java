package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.TrigFlow;
import org.junit.jupiter.api.Test;

/** Which times are compared, how closely, and at which step of a run. */
class CurriculumTest {
    @Test
    void a_stage_brings_the_earlier_time_closer_by_a_factor_q() {
        double t = 20;
        double before = 0;
        for (int stage = 0; stage < 8; stage++) {
            double r = EarlierTime.ofStage(2, stage).before(t);
            assertThat(r).isGreaterThan(before).isLessThan(t);
            // Far from the data the sigmoid is nothing.
            assertThat((t - r) / t).isCloseTo(Math.pow(2, -(stage + 1)), within(1e-7));
            before = r;
        }
        assertThat(EarlierTime.ofStage(256, 0).ratio()).isEqualTo(255 / 256.);
        // Near the data the first stages compare with the data themselves: the loss of diffusion.
        assertThat(EarlierTime.ofStage(2, 0).before(0.5)).isZero();
        assertThat(new EarlierTime(0.75, 0.002).before(0.05)).isEqualTo(0.002);
        assertThatThrownBy(() -> EarlierTime.ofStage(1, 0)).hasMessageContaining("q is 1.0");
        assertThatThrownBy(() -> new EarlierTime(1, 0)).hasMessageContaining("ratio is 1.0");
    }

    @Test
    void on_other_schedules_the_map_acts_on_the_noise_ratio() {
        EarlierTime map = EarlierTime.ofStage(4, 1);
        for (double sigma : new double[] {0.3, 2, 30}) {
            double r = map.before(sigma);
            assertThat(map.before(new KarrasSchedule(), sigma)).isEqualTo(r);
            assertThat(map.before(new FlowLinear(), sigma / (1 + sigma))).isCloseTo(r / (1 + r), within(1e-13));
            assertThat(map.before(new FlowLinear(1000), 1000 * sigma / (1 + sigma)))
                    .isCloseTo(1000 * r / (1 + r), within(1e-10));
            assertThat(map.before(new TrigFlow(0.5), Math.atan(sigma / 0.5)))
                    .isCloseTo(Math.atan(r / 0.5), within(1e-13));
        }
    }

    @Test
    void boundary_forms_leave_a_sample_at_the_boundary_as_it_is() {
        BoundaryScaling form = BoundaryScaling.consistency(0.002, 0.002, 0.5);
        assertThat(form.skip()).isEqualTo(1);
        assertThat(form.out()).isZero();
        assertThat(BoundaryScaling.ofTime(0, 10)).isEqualTo(new BoundaryScaling(1, 0, 1));
        assertThat(BoundaryScaling.edm(0, 0.5)).isEqualTo(new BoundaryScaling(1, 0, 2));
    }

    @Test
    void weights_by_the_gap_do_not_ask_what_the_network_is_told() {
        FlowLinear one = new FlowLinear();
        FlowLinear thousand = new FlowLinear(1000);
        for (ConsistencyWeight weight : ConsistencyWeight.values()) {
            assertThat(weight.at(thousand.point(600), thousand.point(400)))
                    .as("%s", weight)
                    .isCloseTo(weight.at(one.point(0.6), one.point(0.4)), within(1e-12));
        }
        assertThat(ConsistencyWeight.INVERSE_GAP.at(one.point(0.6), one.point(0.4)))
                .isCloseTo(5, within(1e-12));
    }

    @Test
    void improved_training_doubles_its_intervals_from_10_to_1280() {
        ConsistencyCurriculum curriculum = new ConsistencyCurriculum.Doubling(10, 1280, 400_000);
        assertThat(curriculum.levels(0)).isEqualTo(11);
        assertThat(curriculum.levels(49_999)).isEqualTo(11);
        assertThat(curriculum.levels(50_000)).isEqualTo(21);
        assertThat(curriculum.levels(399_999)).isEqualTo(1281);
        assertThat(curriculum.levels(9_000_000)).isEqualTo(1281);
        assertThat(curriculum.decay(7)).isZero();
        assertThatThrownBy(() -> new ConsistencyCurriculum.Doubling(10, 10, 5)).hasMessageContaining("end - start");
    }

    @Test
    void halving_gives_the_last_stages_twice_the_time() {
        ConsistencyCurriculum curriculum = new ConsistencyCurriculum.Halving(8, 10);
        int[] wanted = {8, 8, 4, 4, 2, 2, 2, 2, 1, 1};
        for (int i = 0; i < wanted.length; i++) {
            assertThat(curriculum.levels(5L * i)).as("step %s", 5 * i).isEqualTo(wanted[i]);
        }
    }

    @Test
    void a_guidance_scale_is_told_by_sines_then_cosines() {
        double[] zero = new GuidanceEmbedding(9).of(0);
        assertThat(zero).containsExactly(0, 0, 0, 0, 1, 1, 1, 1, 0);
        double[] embedding = new GuidanceEmbedding(8).of(0.002);
        assertThat(embedding[0]).isCloseTo(Math.sin(2), within(1e-15));
        assertThat(embedding[7]).isCloseTo(Math.cos(2e-4), within(1e-15));
        assertThatThrownBy(() -> new GuidanceEmbedding(3)).hasMessageContaining("dimension is 3");
    }
}
