package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ParallelGridTest {
    private static final MixtureTeacher TEACHER = MixtureTeacher.ring(6, 1, 0.25, 1);
    private static final FlowLinear FLOW = new FlowLinear();

    /** The head of interval k at the loss's fixed point, on the state that the heads before it lead to. */
    private static double[] head(ParallelGrid heads, int k, double[] x, boolean midpoint) {
        double[] euler = TEACHER.velocity(FLOW, x, heads.grid().from(k).sigma(), 0);
        if (!midpoint) {
            return euler;
        }
        double[] middle = {x[0] + heads.half(k) * euler[0], x[1] + heads.half(k) * euler[1]};
        return TEACHER.velocity(FLOW, middle, heads.middle(k), 0);
    }

    private static double error(int intervals, boolean midpoint) {
        ParallelGrid heads = new ParallelGrid(TimeGrid.flow(FLOW, intervals, 1).endingAt(FLOW.point(0.02)));
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
        ParallelGrid heads = new ParallelGrid(TimeGrid.flow(FLOW, 12, 3));
        double[] outputs = {0.3, -0.2, 0.8, 1.1};
        double[] path = heads.path(4, 8);
        Heads fused = heads.fused(4, 8);
        double walked = 0;
        double mean = 0;
        for (int i = 0; i < 4; i++) {
            walked += path[i] * outputs[i];
            mean += fused.factor(4 + i) * outputs[i];
        }
        double whole = heads.grid().points().get(8).sigma()
                - heads.grid().points().get(4).sigma();
        assertThat(whole * mean).isCloseTo(walked, within(1e-15));
        assertThat(fused.factors().stream().mapToDouble(Double::doubleValue).sum())
                .isCloseTo(1, within(1e-14));
        assertThat(Arrays.stream(heads.path(0, 12)).sum()).isCloseTo(-1, within(1e-14));
        assertThat(heads.path(5, 5)).isEmpty();
        assertThat(heads.middle(4))
                .isCloseTo((heads.grid().from(4).sigma() + heads.grid().to(4).sigma()) / 2, within(1e-15));
    }

    @Test
    void one_set_of_heads_arrives_where_the_fine_way_does_in_every_number_of_calls_and_fused_ones_arrive_there_too() {
        TimeGrid fine = TimeGrid.flow(FLOW, 24, 3);
        ParallelGrid heads = new ParallelGrid(fine);
        double[] start = {0.9, -0.4};
        Process process = new Process(FLOW, Prediction.FLOW);
        double[] euler = run(new FlowEuler().plan(process, fine), start, (x, call) -> velocity(x, call.time()));
        ArrayExecutor.Network exact = (x, call) -> outputs(heads, 1, x, call.time());
        ArrayExecutor.Network fused = (x, call) -> outputs(heads, 3, x, call.time());
        for (int calls : new int[] {24, 8, 4, 2, 1}) {
            Plan plan = new ParallelEuler(24 / calls).plan(process, fine);
            assertThat(plan.steps()).hasSize(calls);
            assertThat(run(plan, start, exact)).containsExactly(euler, within(1e-12));
        }
        for (int calls : new int[] {8, 4, 2, 1}) {
            Plan plan = new ParallelEuler(8 / calls).plan(process, TimeGrid.flow(FLOW, 8, 3));
            assertThat(run(plan, start, fused)).containsExactly(euler, within(1e-12));
        }
        Plan one = new ParallelEuler(24).plan(process, fine);
        assertThat(one.steps().get(0).call().heads().factor(0))
                .isCloseTo(heads.width(0) / -1, within(1e-15))
                .isLessThan(heads.width(23) / -1);
        assertThatThrownBy(() -> new ParallelEuler(5).plan(process, fine)).hasMessageContaining("does not divide");
    }

    private static double[] velocity(double[] x, double time) {
        return TEACHER.velocity(FLOW, x, time, 0);
    }

    private static double[] run(Plan plan, double[] start, ArrayExecutor.Network network) {
        return ArrayExecutor.run(plan, start, network, step -> start, (step, x0, next) -> {});
    }

    /** What a perfect student of Euler's targets says at a point of the grid: a velocity for each of the intervals behind it, 99 for those before it. */
    private static double[] outputs(ParallelGrid heads, int fusedBy, double[] at, double time) {
        double[] x = at.clone();
        double[] outputs = new double[2 * heads.heads() / fusedBy];
        for (int k = 0; k < heads.heads(); k++) {
            int group = k / fusedBy;
            if (heads.grid().from(k).time() > time + 1e-9) {
                outputs[2 * group] = 99;
                continue;
            }
            double[] u = velocity(x, heads.grid().from(k).time());
            double factor = heads.fused(group * fusedBy, (group + 1) * fusedBy).factor(k);
            for (int d = 0; d < 2; d++) {
                outputs[2 * group + d] += factor * u[d];
                x[d] += heads.width(k) * u[d];
            }
        }
        return outputs;
    }

    @Test
    void blocks_make_the_grid_of_a_sampler_of_as_many_calls() {
        ParallelGrid heads = new ParallelGrid(TimeGrid.flow(FLOW, 12, 3));
        TimeGrid few = heads.blocks(4);
        assertThat(few.steps()).isEqualTo(3);
        assertThat(few.from(1)).isEqualTo(heads.grid().from(4));
        assertThat(few.to(2).sigma()).isZero();
        assertThatThrownBy(() -> heads.blocks(5)).hasMessageContaining("does not divide the grid's 12");
        assertThatThrownBy(() -> heads.fused(3, 3)).hasMessageContaining("the block 3..3");
        assertThatThrownBy(() -> new ParallelGrid(TimeGrid.karras(new KarrasSchedule(), 4)))
                .hasMessageContaining("straight path");
    }
}
