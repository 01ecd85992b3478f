package dev.retort.nn;

import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Recorder;
import dev.retort.torch.Scratch;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * Attention, softmax(scale·q·kᵀ)·v, wherever a network attends: to itself, to a text, with or without a mask. What computes it
 * is chosen below: a fused kernel on a GPU, on the CPU what was measured to be fastest, and inside
 * {@link dev.retort.torch.ExactMath} plain ops that have every derivative.
 */
public final class Attend {
    /** Scores held at a time where no gradient is recorded: queries go in portions where there are more, and the kernel keeps them. */
    private static final long SCORES = 1L << 24;

    private Attend() {}

    /**
     * To itself, by one projection.
     *
     * @param joint (N, T, 3·heads·d): q, k and v beside each other, each head-major
     * @param scale usually 1/√d
     * @return (N, T, heads·d)
     */
    public static Tensor self(Tensor joint, int heads, double scale) {
        return Scratch.of(() -> Ops.attention(joint, heads, scale));
    }

    /**
     * Of queries to keys.
     *
     * @param q (N, heads, T, d)
     * @param k (N, heads, S, d), and v likewise
     * @param scale usually 1/√d
     * @return (N, T, heads·d)
     */
    public static Tensor of(Tensor q, Tensor k, Tensor v, Mask mask, double scale) {
        long queries = q.size(2);
        long portion = Math.max(1, SCORES / (q.size(0) * q.size(1) * k.size(2)));
        if (queries <= portion || !NoGrad.isOn() || Recorder.isOn() || Ops.attendsInTiles(q, k, v)) {
            return some(q, k, v, mask, scale, 0);
        }
        Tensor[] parts = new Tensor[Math.toIntExact((queries + portion - 1) / portion)];
        for (int i = 0; i < parts.length; i++) {
            long first = i * portion;
            parts[i] = some(Ops.narrow(q, 2, first, Math.min(portion, queries - first)), k, v, mask, scale, first);
        }
        return Ops.cat(1, parts);
    }

    private static Tensor some(Tensor q, Tensor k, Tensor v, Mask mask, double scale, long first) {
        return Scratch.of(() -> {
            Tensor scores = mask.scores(q, k, first);
            return Ops.attention(q, k, v, scores == null ? null : Dtype.of(q).cast(scores), scale);
        });
    }

    /** Which keys a query may look at; each must be left one at least. */
    public interface Mask {
        /** All of them. */
        Mask NONE = (q, k, first) -> null;

        /** Those at its own place and before. */
        Mask CAUSAL = (q, k, first) -> {
            int rows = Math.toIntExact(q.size(2));
            int cols = Math.toIntExact(k.size(2));
            float[] scores = new float[rows * cols];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = i % cols <= first + i / cols ? 0 : Float.NEGATIVE_INFINITY;
            }
            return Tensors.of(scores, Device.of(q), rows, cols);
        };

        /**
         * Those that count, by sample: what lies behind the end of a text does not.
         *
         * @param counts (N, S), truth values
         */
        static Mask keys(Tensor counts) {
            return (q, k, first) -> {
                Tensor zero = Tensors.zeros(Device.of(q), 1);
                Tensor never = Tensors.full(Double.NEGATIVE_INFINITY, Device.of(q), 1);
                return Ops.unsqueeze(Ops.unsqueeze(Ops.where(counts, zero, never), 1), 1); // (N, 1, 1, S)
            };
        }

        /**
         * What is added to the scores, or null for nothing.
         *
         * @param q (N, heads, T, d), of which the first is query number {@code first}
         * @param k (N, heads, S, d)
         * @return 0 or -∞, fp32, broadcast to (N, heads, T, S)
         */
        Tensor scores(Tensor q, Tensor k, long first);
    }
}
