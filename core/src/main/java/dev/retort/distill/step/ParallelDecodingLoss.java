package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.ParallelGrid;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Answer;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Draws;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Parallel decoding distillation (arXiv 2607.26004): asked at the start n of a block, head k of the student is to say what the teacher's velocity is
 * where the heads n to k - 1 lead: mean (u_k(x_n) - sg v)², v = V(x, t_k) with x = x_n + Σ (t_{i+1} - t_i) u_i(x_n), or in the middle of
 * interval k. One call of the student says both the way and the answer. The number of steps, the block and k are drawn for each image; the
 * block's length is that of a step.
 */
public final class ParallelDecodingLoss implements Loss {
    private final String teacher;
    private final NoiseSchedule schedule;
    private final ParallelGrid grid;
    private final int[] steps;
    private final boolean midpoint;

    /**
     * @param teacher name of the player that knows V
     * @param schedule of a flow
     * @param grid an interval for each of the student's heads
     * @param steps numbers of blocks, each of which divides the number of heads
     * @param midpoint ask the teacher in the middle of the interval, on the state moved there by its velocity at the interval's start
     */
    public ParallelDecodingLoss(
            String teacher, NoiseSchedule schedule, ParallelGrid grid, List<Integer> steps, boolean midpoint) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.grid = grid;
        this.steps = steps.stream().mapToInt(Integer::intValue).toArray();
        this.midpoint = midpoint;
    }

    @Override
    public String name() {
        return "parallel-decoding";
    }

    @Override
    public Tensor perSample(Pass pass) {
        Draws draws = pass.draws(name());
        int[] count = draws.index(steps.length);
        double[] block = draws.uniform();
        double[] place = draws.uniform();
        int[] start = new int[count.length];
        int[] head = new int[count.length];
        for (int i = 0; i < count.length; i++) {
            int span = grid.heads() / steps[count[i]];
            start[i] = span * (int) (block[i] * steps[count[i]]);
            head[i] = start[i] + (int) (place[i] * span);
        }
        NoisyBatch noisy = pass.noisy(times(start));
        Answer answer = pass.ask(
                pass.player(), new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.PARAMETERS));
        Tensor[] said = IntStream.range(0, grid.heads())
                .mapToObj(k -> answer.head(k).as(Prediction.FLOW))
                .toArray(Tensor[]::new); // (N, C, H, W) each
        Tensor target = target(pass, noisy.condition(), rolledOut(noisy.noisy(), said, start, head), head);
        int n = head.length;
        Tensor rows = Tensors.of(
                IntStream.range(0, n).mapToLong(i -> (long) head[i] * n + i).toArray(), Device.of(target));
        Tensor asked = Ops.indexSelect(Ops.cat(0, said), 0, rows);
        return Ops.meanPerSample(Ops.square(Ops.sub(asked, target)));
    }

    private double[] times(int[] points) {
        return Arrays.stream(points)
                .mapToDouble(k -> grid.grid().from(k).time())
                .toArray();
    }

    /** Where the heads before the one that is asked lead, without gradient. */
    private Tensor rolledOut(Tensor x, Tensor[] said, int[] start, int[] head) {
        Tensor state = x;
        for (int k = 0; k < said.length; k++) {
            int at = k;
            double[] ways = IntStream.range(0, head.length)
                    .mapToDouble(i -> at >= start[i] && at < head[i] ? grid.width(at) : 0)
                    .toArray();
            if (Arrays.stream(ways).anyMatch(way -> way != 0)) {
                state = Ops.add(state, Ops.mul(Ops.detach(said[k]), Tensors.column(ways, x)));
            }
        }
        return state;
    }

    private Tensor target(Pass pass, Condition condition, Tensor state, int[] head) {
        Tensor velocity = velocity(pass, condition, state, times(head));
        if (!midpoint) {
            return velocity;
        }
        double[] half = Arrays.stream(head).mapToDouble(grid::half).toArray();
        double[] middle = Arrays.stream(head)
                .mapToDouble(k -> schedule.noisiestTime() * grid.middle(k))
                .toArray();
        return velocity(pass, condition, Ops.add(state, Ops.mul(velocity, Tensors.column(half, state))), middle);
    }

    private Tensor velocity(Pass pass, Condition condition, Tensor x, double[] times) {
        return pass.ask(teacher, new Question(x, times, condition, Gradient.NONE))
                .as(Prediction.FLOW);
    }
}
