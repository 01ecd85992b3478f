package dev.retort.diffusion.step;

import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Which few of many times a sampler had best call its network at.
 *
 * <p><b>Formula.</b> Along a teacher's trajectory on a fine grid, a step of first order from point i to point j > i misses the state
 * there by e(i, j), the root mean square over values in the mean over trajectories. The grid of N steps is the path of N edges from the first
 * point to the last with the least sum of e (Chen et al. 2024, GITS, section 3.3, without its factor for errors that grow on the
 * way); {@link #refined} then moves single points by what really comes out at the end.
 *
 * <p><b>Edges.</b> Points are numbered from 0, the noisiest, to M, the clean end. The fine trajectory itself has to be of first order: what the
 * network said at a point follows from two states beside each other, and no call is made here.
 */
public final class ScheduleSearch {
    private ScheduleSearch() {}

    /**
     * Errors of single steps.
     *
     * @param fine M steps
     * @param states M+1 states of each trajectory, [state][trajectory][value], of steps of first order on that grid
     * @return e[i][j] for j > i, 0 elsewhere
     */
    public static double[][] errors(TimeGrid fine, float[][][] states) {
        int steps = fine.steps();
        if (states.length != steps + 1) {
            throw new IllegalArgumentException(
                    states.length + " states on a grid of " + steps + " steps, expected " + (steps + 1));
        }
        double[][] errors = new double[steps + 1][steps + 1];
        for (int i = 0; i < steps; i++) {
            FirstOrderStep one = FirstOrderStep.between(fine.from(i), fine.to(i));
            for (int j = i + 2; j <= steps; j++) {
                errors[i][j] = error(FirstOrderStep.between(fine.from(i), fine.to(j - 1)), one, states, i, j);
            }
        }
        return errors;
    }

    /** Of a long step instead of many, the first of which tells what the network said. */
    private static double error(FirstOrderStep step, FirstOrderStep one, float[][][] states, int i, int j) {
        double ofX0 = step.fromX0() / one.fromX0();
        double ofState = step.fromState() - ofX0 * one.fromState();
        double sum = 0;
        for (int n = 0; n < states[i].length; n++) {
            double squares = 0;
            for (int v = 0; v < states[i][n].length; v++) {
                double missed = ofState * states[i][n][v] + ofX0 * states[i + 1][n][v] - states[j][n][v];
                squares += missed * missed;
            }
            sum += Math.sqrt(squares / states[i][n].length);
        }
        return sum / states[i].length;
    }

    /**
     * The path of so many edges with the least sum.
     *
     * @param errors of each edge from i to j > i
     * @param steps edges, 1 to M
     * @return its points, 0 first and M last
     */
    public static int[] shortest(double[][] errors, int steps) {
        int last = errors.length - 1;
        if (steps < 1 || steps > last) {
            throw new IllegalArgumentException(steps + " steps on a grid of " + last + ", expected 1 to " + last);
        }
        double[][] least = new double[steps + 1][last + 1]; // over paths of k edges to j
        int[][] before = new int[steps + 1][last + 1];
        for (double[] row : least) {
            Arrays.fill(row, Double.POSITIVE_INFINITY);
        }
        least[0][0] = 0;
        for (int k = 1; k <= steps; k++) {
            for (int j = k; j <= last; j++) {
                for (int i = k - 1; i < j; i++) {
                    double sum = least[k - 1][i] + errors[i][j];
                    if (sum < least[k][j]) {
                        least[k][j] = sum;
                        before[k][j] = i;
                    }
                }
            }
        }
        int[] path = new int[steps + 1];
        path[steps] = last;
        for (int k = steps; k > 0; k--) {
            path[k - 1] = before[k][path[k]];
        }
        return path;
    }

    /** A path and what it costs. */
    public record Found(int[] path, double error) {}

    /** So many edges of equal length, as far as points allow. */
    public static int[] even(int last, int steps) {
        return IntStream.rangeClosed(0, steps)
                .map(k -> (int) Math.round((double) k * last / steps))
                .toArray();
    }

    /** A path with one point more, in the middle of an edge: one for each edge that is long enough. */
    public static List<int[]> longer(int[] path) {
        return IntStream.range(1, path.length)
                .filter(k -> path[k] - path[k - 1] > 1)
                .mapToObj(k -> IntStream.concat(Arrays.stream(path), IntStream.of((path[k - 1] + path[k]) / 2))
                        .sorted()
                        .toArray())
                .toList();
    }

    /**
     * The best of some paths with its points moved one at a time, by strides that halve, as long as that makes it better.
     *
     * @param error of a path, such as the distance at the end of the sampler's own walk
     * @param sweeps how often each point is tried at most, at every stride
     */
    public static Found refined(List<int[]> paths, ToDoubleFunction<int[]> error, int sweeps) {
        int[] best = null;
        double least = Double.POSITIVE_INFINITY;
        for (int[] path : paths) {
            double cost = error.applyAsDouble(path);
            if (best == null || Double.isNaN(least) || cost < least) {
                best = path.clone();
                least = cost;
            }
        }
        for (int stride = Math.max(1, best[best.length - 1] / (4 * best.length)); stride > 0; stride /= 2) {
            boolean moved = true;
            for (int sweep = 0; moved && sweep < sweeps; sweep++) {
                moved = false;
                for (int k = 1; k < best.length - 1; k++) {
                    for (int to : new int[] {best[k] - stride, best[k] + stride}) {
                        if (to <= best[k - 1] || to >= best[k + 1]) {
                            continue;
                        }
                        int[] tried = best.clone();
                        tried[k] = to;
                        double cost = error.applyAsDouble(tried);
                        if (cost < least) {
                            best = tried;
                            least = cost;
                            moved = true;
                            break;
                        }
                    }
                }
            }
        }
        return new Found(best, least);
    }
}
