package dev.retort.diffusion.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.MixtureTeacher;
import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScheduleSearchTest {
    private static final FlowLinear FLOW = new FlowLinear();

    /** The least sum over all paths, by trying them. */
    private static double least(double[][] errors, int from, int steps) {
        int last = errors.length - 1;
        if (steps == 1) {
            return errors[from][last];
        }
        double least = Double.POSITIVE_INFINITY;
        for (int to = from + 1; to <= last - steps + 1; to++) {
            least = Math.min(least, errors[from][to] + least(errors, to, steps - 1));
        }
        return least;
    }

    private static double sum(double[][] errors, int[] path) {
        double sum = 0;
        for (int k = 1; k < path.length; k++) {
            sum += errors[path[k - 1]][path[k]];
        }
        return sum;
    }

    @Test
    void the_shortest_path_is_the_best_of_all() {
        Random random = new Random(1);
        double[][] errors = new double[10][10];
        for (int i = 0; i < 10; i++) {
            for (int j = i + 1; j < 10; j++) {
                errors[i][j] = random.nextDouble() * (j - i);
            }
        }
        for (int steps = 1; steps <= 9; steps++) {
            int[] path = ScheduleSearch.shortest(errors, steps);
            assertThat(path).hasSize(steps + 1).startsWith(0).endsWith(9);
            assertThat(sum(errors, path)).isCloseTo(least(errors, 0, steps), within(1e-12));
        }
        assertThatThrownBy(() -> ScheduleSearch.shortest(errors, 10)).hasMessageContaining("expected 1 to 9");
    }

    @Test
    void a_path_gets_a_point_in_the_middle_of_each_edge_that_has_one() {
        assertThat(ScheduleSearch.longer(new int[] {0, 4, 5, 8}))
                .containsExactly(new int[] {0, 2, 4, 5, 8}, new int[] {0, 4, 5, 6, 8});
        assertThat(ScheduleSearch.even(64, 4)).containsExactly(0, 16, 32, 48, 64);
    }

    @Test
    void a_straight_trajectory_is_missed_by_no_step() {
        TimeGrid fine = TimeGrid.flow(FLOW, 8, 1);
        float[][][] states = new float[9][1][];
        for (int i = 0; i <= 8; i++) {
            TimeGrid.Point at = i < 8 ? fine.from(i) : fine.to(7);
            states[i][0] = new float[] {(float) (at.alpha() * 0.5 + at.sigma() * -1.5)};
        }
        double[][] errors = ScheduleSearch.errors(fine, states);
        assertThat(Arrays.stream(errors).flatMapToDouble(Arrays::stream).max().orElseThrow())
                .isLessThan(1e-6);
    }

    /** The states of Euler's walk on a grid, for an exact teacher of a mixture. */
    private static float[][][] walk(MixtureTeacher teacher, TimeGrid grid, float[][] noise) {
        float[][][] states = new float[grid.steps() + 1][][];
        states[0] = noise;
        for (int k = 0; k < grid.steps(); k++) {
            TimeGrid.Point from = grid.from(k);
            FirstOrderStep step = FirstOrderStep.between(from, grid.to(k));
            states[k + 1] = new float[noise.length][];
            for (int n = 0; n < noise.length; n++) {
                double[] x = new double[noise[n].length];
                for (int v = 0; v < x.length; v++) {
                    x[v] = states[k][n][v];
                }
                double[] x0 = teacher.x0(x, from, MixtureTeacher.NONE);
                float[] next = new float[x.length];
                for (int v = 0; v < next.length; v++) {
                    next[v] = (float) (step.fromState() * x[v] + step.fromX0() * x0[v]);
                }
                states[k + 1][n] = next;
            }
        }
        return states;
    }

    private static double distance(float[][] a, float[][] b) {
        double sum = 0;
        for (int n = 0; n < a.length; n++) {
            for (int v = 0; v < a[n].length; v++) {
                sum += Math.pow(a[n][v] - b[n][v], 2);
            }
        }
        return Math.sqrt(sum);
    }

    private static float[][] noise(int seed) {
        Random random = new Random(seed);
        float[][] noise = new float[64][2];
        for (float[] row : noise) {
            row[0] = (float) random.nextGaussian();
            row[1] = (float) random.nextGaussian();
        }
        return noise;
    }

    private static TimeGrid along(TimeGrid fine, int[] path) {
        return TimeGrid.of(
                "times",
                FLOW,
                Arrays.stream(path, 0, path.length - 1)
                        .mapToDouble(i -> fine.from(i).time())
                        .toArray());
    }

    @Test
    void on_an_exact_teacher_a_searched_grid_ends_nearer_than_an_even_one_on_other_noises() {
        MixtureTeacher teacher = MixtureTeacher.ring(8, 1.4, 0.1, 1);
        TimeGrid fine = TimeGrid.flow(FLOW, 64, 1);
        float[][][] states = walk(teacher, fine, noise(1));
        float[][] others = noise(2);
        float[][] ends = walk(teacher, fine, others)[64];
        double[][] errors = ScheduleSearch.errors(fine, states);
        for (int steps : new int[] {4, 8}) {
            int[] path = ScheduleSearch.shortest(errors, steps);
            int[] refined = ScheduleSearch.refined(
                            List.of(path, ScheduleSearch.even(64, steps)),
                            tried -> distance(walk(teacher, along(fine, tried), noise(1))[steps], states[64]),
                            2)
                    .path();
            double searched = distance(walk(teacher, along(fine, refined), others)[steps], ends);
            double even = distance(walk(teacher, TimeGrid.flow(FLOW, steps, 1), others)[steps], ends);
            assertThat(searched).as(steps + " steps").isLessThan((steps == 4 ? 0.8 : 0.95) * even);
        }
    }
}
