package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ParallelDecodingTest {
    private static final MixtureTeacher TEACHER = MixtureTeacher.ring(6, 1, 0.25, 1);
    private static final FlowLinear FLOW = new FlowLinear();

    /** The head of interval k at the loss's fixed point, on the state that the heads before it lead to. */
    private static double[] head(ParallelDecoding heads, int k, double[] x, boolean midpoint) {
        double[] euler = TEACHER.velocity(FLOW, x, heads.grid().from(k).sigma(), 0);
        if (!midpoint) {
            return euler;
        }
        double[] middle = {x[0] + heads.half(k) * euler[0], x[1] + heads.half(k) * euler[1]};
        return TEACHER.velocity(FLOW, middle, heads.middle(k), 0);
    }

    private static double error(int intervals, boolean midpoint) {
        ParallelDecoding heads =
                new ParallelDecoding(TimeGrid.flow(FLOW, intervals, 1).endingAt(FLOW.point(0.02)));
        double sum = 0;
        for (double[] start : new double[][] {{0.9, -0.4}, {-1.3, 0.2}, {0.1, 0.7}, {-0.5, -1.6}}) {
            double[] x = start.clone();
            for (int k = 0; k < heads.heads(); k++) {
                double[] u = head(heads, k, x, midpoint);
                x[0] += heads.width(k) * u[0];
                x[1] += heads.width(k) * u[1];
            }
            double[] exact = TEACHER.flow(FLOW, start, 1, 0.02, 2000, 0);
            sum += Math.hypot(x[0] - exact[0], x[1] - exact[1]) / 4;
        }
        return sum;
    }

    @Test
    void midpoint_targets_lead_far_closer_to_the_teachers_way_than_eulers() {
        double euler = error(16, false);
        double midpoint = error(16, true);
        assertThat(euler).isBetween(0.005, 0.2);
        assertThat(midpoint).isLessThan(euler / 8);
        // Twice the heads: half of Euler's error, a quarter of the midpoint's.
        assertThat(error(64, false) / error(128, false)).isBetween(1.7, 2.3);
        assertThat(error(64, true) / error(128, true)).isBetween(3.2, 4.8);
    }

    @Test
    void a_fused_head_takes_a_block_in_one_step() {
        ParallelDecoding heads = new ParallelDecoding(TimeGrid.flow(FLOW, 12, 3));
        double[] outputs = {0.3, -0.2, 0.8, 1.1};
        double[] path = heads.path(4, 8);
        double[] fused = heads.fused(4, 8);
        double walked = 0;
        double mean = 0;
        for (int i = 0; i < 4; i++) {
            walked += path[i] * outputs[i];
            mean += fused[i] * outputs[i];
        }
        double whole = heads.grid().points().get(8).sigma()
                - heads.grid().points().get(4).sigma();
        assertThat(whole * mean).isCloseTo(walked, within(1e-15));
        assertThat(Arrays.stream(fused).sum()).isCloseTo(1, within(1e-14));
        assertThat(Arrays.stream(heads.path(0, 12)).sum()).isCloseTo(-1, within(1e-14));
        assertThat(heads.path(5, 5)).isEmpty();
        assertThat(heads.middle(4))
                .isCloseTo((heads.grid().from(4).sigma() + heads.grid().to(4).sigma()) / 2, within(1e-15));
    }

    @Test
    void blocks_make_the_grid_of_a_sampler_of_as_many_calls() {
        ParallelDecoding heads = new ParallelDecoding(TimeGrid.flow(FLOW, 12, 3));
        TimeGrid few = heads.blocks(4);
        assertThat(few.steps()).isEqualTo(3);
        assertThat(few.from(1)).isEqualTo(heads.grid().from(4));
        assertThat(few.to(2).sigma()).isZero();
        assertThatThrownBy(() -> heads.blocks(5)).hasMessageContaining("does not divide the grid's 12");
        assertThatThrownBy(() -> heads.fused(3, 3)).hasMessageContaining("the block 3..3");
        assertThatThrownBy(() -> new ParallelDecoding(TimeGrid.karras(new KarrasSchedule(), 4)))
                .hasMessageContaining("straight path");
    }
}
