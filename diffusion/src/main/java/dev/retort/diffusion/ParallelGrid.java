package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The heads of parallel decoding distillation (arXiv 2607.26004) on a straight path: a network called at the start n of a block says the mean velocity of every interval k of it, one head each. Moving through a block is the sum of
 * (t_{k+1} - t_k) times those velocities, so the heads of a block can be fused into one. Times are sigma of the flow, from 1 (noise) down to 0; interval k lies between the
 * grid's points k and k + 1.
 *
 * @param grid a grid of the straight path, with as many intervals as there are heads
 */
public record ParallelGrid(TimeGrid grid) {
    public ParallelGrid {
        for (TimeGrid.Point point : grid.points()) {
            if (Math.abs(point.alpha() + point.sigma() - 1) > 1e-9) {
                throw new IllegalArgumentException("the grid " + grid.name() + " has alpha " + point.alpha()
                        + " and sigma " + point.sigma() + " at time " + point.time()
                        + "; parallel decoding needs a straight path, where they sum to 1");
            }
        }
    }

    /** The number of heads. */
    public int heads() {
        return grid.steps();
    }

    /** t_{k+1} - t_k, below 0 on the way from noise to data: the factor of head k in every sum. */
    public double width(int k) {
        return grid.to(k).sigma() - grid.from(k).sigma();
    }

    /** The factors of heads {@code start} to {@code end - 1} in the way from point {@code start} to point {@code end}: the roll-out, and the step of a whole block. */
    public double[] path(int start, int end) {
        requireBlock(start, end, 0);
        double[] factors = new double[end - start];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = width(start + i);
        }
        return factors;
    }

    /** The factors that fuse the heads of a block into one, which says the mean velocity from point {@code start} to point {@code end}; they sum to 1. */
    public Heads fused(int start, int end) {
        requireBlock(start, end, 1);
        double whole = grid.points().get(end).sigma() - grid.points().get(start).sigma();
        return new Heads(
                start,
                Arrays.stream(path(start, end)).map(way -> way / whole).boxed().toList());
    }

    /**
     * Where the teacher is asked for the target of head k: at the point itself (Euler) or in the middle of its interval (midpoint), on the state moved there by {@link #half} times its velocity
     * at the point.
     */
    public double middle(int k) {
        return grid.from(k).sigma() + half(k);
    }

    /** Half of {@link #width}. */
    public double half(int k) {
        return width(k) / 2;
    }

    /** The grid of a sampler with blocks of a length: the starts of its blocks. */
    public TimeGrid blocks(int length) {
        if (length < 1 || heads() % length != 0) {
            throw new IllegalArgumentException(
                    "a block has " + length + " intervals, which does not divide the grid's " + heads());
        }
        List<TimeGrid.Point> points = new ArrayList<>();
        for (int k = 0; k <= heads(); k += length) {
            points.add(grid.points().get(k));
        }
        return new TimeGrid(grid.name() + " in blocks of " + length, points);
    }

    private void requireBlock(int start, int end, int least) {
        if (start < 0 || end > heads() || end - start < least) {
            throw new IllegalArgumentException("the block " + start + ".." + end + " is not one of a grid with "
                    + heads() + " intervals; expected 0 <= start, at least " + least + " interval, end at most "
                    + heads());
        }
    }
}
