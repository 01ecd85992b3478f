package dev.retort.torch;

import dev.retort.torch.BlasProducts.Matrices;
import dev.retort.torch.BlasProducts.View;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * softmax(scale·q·kᵀ)·v and its gradients by {@link BlasProducts}, which read q, k and v where one projection left them
 * and write their gradients to where it expects its own: no copies in between. For gradients one tensor of weights is kept
 * per call; without, a thread computes some rows of one head from the first product to the last while they are near.
 */
final class BlasAttention {
    /** A product of fewer rows would copy keys and values more often than it uses them. */
    private static final int ROWS_AT_ONCE = 64;
    /** Weights whose softmax is computed in one go: they stay in the innermost cache. */
    private static final int VALUES_AT_ONCE = 2048;

    private static final double NANOS_A_WEIGHT = 2;
    private static final double NANOS_A_PRODUCT = 0.05;

    private BlasAttention() {}

    /** Whether these can be multiplied here: fp32 on the CPU, read where they lie. */
    static boolean fits(Tensor... tensors) {
        for (Tensor t : tensors) {
            if (t.is_cuda() || Dtype.of(t) != Dtype.F32 || !BlasProducts.fits(t)) {
                return false;
            }
        }
        return true;
    }

    /** q (N, heads, T, d), k and v (N, heads, T', d) → (N, T, heads·d). */
    static Tensor forward(Team team, Tensor q, Tensor k, Tensor v, double scale) {
        Tensor[] parts = new Tensor[3];
        Tensor out = run(
                team,
                new Tensor[] {q, k, v},
                scale,
                parts,
                weights -> gradient -> {
                    Tensor[] into = new Tensor[3];
                    for (int i = 0; i < into.length; i++) {
                        into[i] = torch.empty(Tensors.shape(parts[i]));
                    }
                    backward(team, gradient, parts, weights, scale, into);
                    return into;
                },
                q,
                k,
                v);
        return out.view(q.size(0), q.size(2), out.size(1));
    }

    /** q, k and v beside each other, each head-major: joint (N, T, 3·heads·d), contiguous → (N, T, heads·d). */
    static Tensor joint(Team team, Tensor joint, int heads, double scale) {
        Tensor[] parts = new Tensor[3];
        Tensor out = run(
                team,
                parts(joint.detach(), heads),
                scale,
                parts,
                weights -> gradient -> {
                    Tensor result = torch.empty(Tensors.shape(joint));
                    backward(team, gradient, parts, weights, scale, parts(result, heads));
                    return new Tensor[] {result};
                },
                joint);
        return out.view(joint.size(0), joint.size(1), out.size(1));
    }

    /** The value (N·T, heads·d), tied to the inputs by the backward pass that is made for its weights. */
    private static Tensor run(
            Team team,
            Tensor[] from,
            double scale,
            Tensor[] parts,
            Function<Tensor, Function<Tensor, Tensor[]>> backward,
            Tensor... inputs) {
        boolean graph = Differentiable.wanted(inputs);
        Tensor out;
        Tensor weights;
        try (NoGrad off = NoGrad.on()) {
            for (int i = 0; i < parts.length; i++) {
                parts[i] = from[i].detach();
            }
            if (!graph) {
                return rowByRow(team, parts[0], parts[1], parts[2], scale);
            }
            weights = weights(team, parts[0], parts[1], scale);
            out = mix(team, weights, parts[2]);
        }
        return Differentiable.tie(out, backward.apply(weights), inputs);
    }

    /** The value (N·T, heads·d) from q, k, v, keeping no weights. */
    private static Tensor rowByRow(Team team, Tensor q, Tensor k, Tensor v, double scale) {
        int n = (int) q.size(0);
        int heads = (int) q.size(1);
        int tokens = (int) q.size(2);
        int keys = (int) k.size(2);
        int width = (int) v.size(3);
        int pieces = (tokens + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
        int most = (tokens + pieces - 1) / pieces;
        Tensor scores = torch.empty(team.mostParts(), most, keys);
        Tensor out = torch.empty((long) n * tokens, (long) heads * width);
        Matrices queries = Matrices.of(q);
        Matrices transposed = Matrices.of(k.transpose(-2, -1));
        Matrices values = Matrices.of(v);
        Matrices weights = Matrices.of(scores);
        Matrices mixed = Matrices.of(out.view(n, tokens, heads, width).transpose(1, 2));
        FloatRows rows = new FloatRows(scores);
        AtomicInteger worker = new AtomicInteger();
        double nanos = (double) n * heads * tokens * keys * (NANOS_A_WEIGHT + NANOS_A_PRODUCT * width);
        team.share(n * heads * pieces, nanos, () -> {
            int mine = worker.getAndIncrement();
            Softmax softmax = new Softmax(rows, mine * most);
            View left = new View(queries);
            View middle = new View(transposed);
            View weight = new View(weights).position((long) mine * most * keys);
            View right = new View(values);
            View result = new View(mixed);
            return unit -> {
                int head = unit / pieces;
                int first = unit % pieces * most;
                int count = Math.min(most, tokens - first);
                left.position(queries.offset(head) + queries.row(first));
                middle.position(transposed.offset(head));
                left.multiply(middle, weight, count, keys, (float) scale, 0);
                softmax.of(count);
                right.position(values.offset(head));
                result.position(mixed.offset(head) + mixed.row(first));
                weight.multiply(right, result, count, width, 1, 0);
            };
        });
        return out;
    }

    /** The softmax of some rows, as many at a time as stay near. */
    private static final class Softmax {
        private final FloatRows rows;
        private final int first;
        private final int together;
        private final float[] values;
        private final FloatMath.Bits scratch;

        Softmax(FloatRows rows, int first) {
            this.rows = rows;
            this.first = first;
            together = Math.max(1, VALUES_AT_ONCE / rows.width());
            values = new float[together * rows.width()];
            scratch = new FloatMath.Bits(values.length);
        }

        void of(int count) {
            for (int from = 0; from < count; from += together) {
                int n = Math.min(together, count - from);
                rows.read(first + from, n, values);
                FloatMath.softmax(values, n, rows.width(), scratch);
                rows.write(first + from, n, values);
            }
        }
    }

    /** (N, T, 3·heads·d) → views of q, k and v, each (N, heads, T, d). */
    static Tensor[] parts(Tensor joint, int heads) {
        long n = joint.size(0);
        long t = joint.size(1);
        return Ops.unbind(
                joint.view(n, t, 3, heads, joint.size(2) / (3L * heads)).permute(2, 0, 3, 1, 4), 0);
    }

    /** softmax(scale·q·kᵀ), (N, heads, T, T'). */
    private static Tensor weights(Team team, Tensor q, Tensor k, double scale) {
        Tensor scores = torch.empty(q.size(0), q.size(1), q.size(2), k.size(2));
        BlasProducts.multiply(team, q, k.transpose(-2, -1), scores, scale, 0);
        return torch.softmax_out(scores, scores, -1, new ScalarTypeOptional());
    }

    /** weights·v, (N·T, heads·d). */
    private static Tensor mix(Team team, Tensor weights, Tensor v) {
        long n = v.size(0);
        long heads = v.size(1);
        long t = weights.size(2);
        Tensor out = torch.empty(n * t, heads * v.size(3));
        BlasProducts.multiply(team, weights, v, out.view(n, t, heads, v.size(3)).transpose(1, 2), 1, 0);
        return out;
    }

    /** gradient (N·T, heads·d) → those of q, k and v, written into {@code into}. */
    private static void backward(
            Team team, Tensor gradient, Tensor[] parts, Tensor weights, double scale, Tensor[] into) {
        Tensor q = parts[0];
        Tensor of = gradient.view(q.size(0), q.size(2), q.size(1), q.size(3)).transpose(1, 2); // (N, heads, T, d)
        BlasProducts.multiply(team, weights.transpose(-2, -1), of, into[2], 1, 0);
        Tensor scores = torch.empty(Tensors.shape(weights));
        BlasProducts.multiply(team, of, parts[2].transpose(-2, -1), scores, 1, 0);
        softmaxBackward(scores, weights);
        BlasProducts.multiply(team, scores, parts[1], into[0], scale, 0);
        BlasProducts.multiply(team, scores.transpose(-2, -1), q, into[1], scale, 0);
    }

    /** From the gradient of the softmax's value to that of its argument, in place. */
    private static void softmaxBackward(Tensor gradient, Tensor value) {
        Boxed.call(
                "aten::_softmax_backward_data",
                "out",
                gradient,
                value,
                -1L,
                (long) torch.ScalarType.Float.value,
                gradient);
    }
}
