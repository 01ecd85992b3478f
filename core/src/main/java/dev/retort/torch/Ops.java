package dev.retort.torch;

import dev.retort.graph.Op;
import dev.retort.graph.Size;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * All arithmetic of networks: {@link Recorder} notes each of these as an {@link Op}. Null stands for what is left out: a bias,
 * a mask, the weight of a norm. Dimensions are counted from the last where negative.
 */
public final class Ops {
    private Ops() {}

    /** x·Wᵀ + b; x (…, in), w (out, in), b (out) or null. */
    public static Tensor linear(Tensor x, Tensor w, Tensor b) {
        return Recorder.note(() -> Dispatch.linear(x, w, b), Op.LINEAR, Map.of(), x, w, b);
    }

    /** {@link #geluTanh} of {@link #linear}. */
    public static Tensor linearGeluTanh(Tensor x, Tensor w, Tensor b) {
        return Recorder.note(() -> Dispatch.linearGeluTanh(x, w, b), Op.LINEAR_GELU_TANH, Map.of(), x, w, b);
    }

    /** 2-D convolution; x (N, C, H, W), w (out, C, kH, kW), b (out) or null. */
    public static Tensor conv2d(Tensor x, Tensor w, Tensor b, long stride, long padding) {
        return Recorder.note(
                () -> Dispatch.conv2d(x, w, b, stride, padding),
                Op.CONV2D,
                Map.of("stride", stride, "padding", padding),
                x,
                w,
                b);
    }

    /** a·b, batched. */
    public static Tensor matmul(Tensor a, Tensor b) {
        return Recorder.note(torch.matmul(a, b), Op.MATMUL, a, b);
    }

    /** Rows of a table; table (K, D), index (N) → (N, D). */
    public static Tensor embedding(Tensor table, Tensor index) {
        return Recorder.note(torch.embedding(table, index), Op.EMBEDDING, table, index);
    }

    /**
     * Attention of one projection: softmax(scale·q·kᵀ)·v per head.
     *
     * @param joint (N, T, 3·heads·d): q, k and v beside each other, each head-major
     * @return (N, T, heads·d)
     */
    public static Tensor attention(Tensor joint, int heads, double scale) {
        return Recorder.note(
                () -> Dispatch.attention(joint, heads, scale),
                Op.SELF_ATTENTION,
                Map.of("heads", (long) heads, "scale", scale),
                joint);
    }

    /** Whether {@link #attention(Tensor, Tensor, Tensor, Tensor, double)} keeps no more scores at a time than a tile of them. */
    public static boolean attendsInTiles(Tensor q, Tensor k, Tensor v) {
        return Dispatch.attendsInTiles(q, k, v);
    }

    /**
     * softmax(scale·q·kᵀ + mask)·v per head.
     *
     * @param q (N, heads, T, d)
     * @param k (N, heads, S, d), and v likewise
     * @param mask added to the scores, broadcast to (N, heads, T, S): -∞ where a query must not look; or null
     * @return (N, T, heads·d)
     */
    public static Tensor attention(Tensor q, Tensor k, Tensor v, Tensor mask, double scale) {
        return Recorder.note(
                () -> Dispatch.attention(q, k, v, mask, scale), Op.ATTENTION, Map.of("scale", scale), q, k, v, mask);
    }

    /** Layer norm over the last dimension without affine parameters. */
    public static Tensor layerNorm(Tensor x, double eps) {
        return Recorder.note(
                torch.layer_norm(x, new long[] {x.size(-1)}, new TensorOptional(), new TensorOptional(), eps, false),
                Op.LAYER_NORM,
                Map.of("eps", eps),
                x);
    }

    /** x / √(mean(x²) + eps) · weight over the last dimension (Zhang and Sennrich 2019), in fp32; weight (D). */
    public static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
        return Recorder.note(() -> Dispatch.rmsNorm(x, weight, eps), Op.RMS_NORM, Map.of("eps", eps), x, weight);
    }

    /**
     * norm(x)·factor + shift, what adaptive norms of transformers compute.
     *
     * @param x (N, T, D)
     * @param weight (D) of an {@link #rmsNorm}, or null for a {@link #layerNorm}
     * @param shift (N, 1, D), and factor likewise
     */
    public static Tensor modulatedNorm(Tensor x, Tensor weight, Tensor shift, Tensor factor, double eps) {
        return Recorder.note(
                () -> Dispatch.modulatedNorm(x, weight, shift, factor, eps),
                Op.MODULATED_NORM,
                Map.of("eps", eps),
                x,
                shift,
                factor,
                weight);
    }

    /** Group norm over (channels of a group, H, W); x (N, C, …), weight and bias (C). */
    public static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double eps) {
        return Recorder.note(
                torch.group_norm(x, groups, optional(weight), optional(bias), eps, false),
                Op.GROUP_NORM,
                Map.of("groups", groups, "eps", eps),
                x,
                weight,
                bias);
    }

    /** Batch norm; running statistics are updated in place when {@code training}, which cannot be recorded. */
    public static Tensor batchNorm(
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor mean,
            Tensor var,
            boolean training,
            double momentum,
            double eps) {
        if (training && Recorder.isOn()) {
            throw new IllegalStateException("a batch norm that updates its statistics cannot be recorded");
        }
        return Recorder.note(
                torch.batch_norm(
                        x,
                        optional(weight),
                        optional(bias),
                        optional(mean),
                        optional(var),
                        training,
                        momentum,
                        eps,
                        false),
                Op.BATCH_NORM,
                Map.of("eps", eps),
                x,
                weight,
                bias,
                mean,
                var);
    }

    /** x·sigmoid(x). */
    public static Tensor silu(Tensor x) {
        return Recorder.note(torch.silu(x), Op.SILU, x);
    }

    /** max(x, 0). */
    public static Tensor relu(Tensor x) {
        return Recorder.note(torch.relu(x), Op.RELU, x);
    }

    /** x Φ(x), the exact GELU. */
    public static Tensor gelu(Tensor x) {
        return Recorder.note(torch.gelu(x, "none"), Op.GELU, x);
    }

    /** GELU with the tanh approximation. */
    public static Tensor geluTanh(Tensor x) {
        return Recorder.note(() -> Dispatch.geluTanh(x), Op.GELU_TANH, Map.of(), x);
    }

    /** tanh x. */
    public static Tensor tanh(Tensor x) {
        return Recorder.note(x.tanh(), Op.TANH, x);
    }

    /** eˣ. */
    public static Tensor exp(Tensor x) {
        return Recorder.note(x.exp(), Op.EXP, x);
    }

    /** cos x. */
    public static Tensor cos(Tensor x) {
        return Recorder.note(x.cos(), Op.COS, x);
    }

    /** sin x. */
    public static Tensor sin(Tensor x) {
        return Recorder.note(x.sin(), Op.SIN, x);
    }

    /** x². */
    public static Tensor square(Tensor x) {
        return Recorder.note(x.square(), Op.SQUARE, x);
    }

    /** Softmax over the last dimension. */
    public static Tensor softmax(Tensor x) {
        return Recorder.note(torch.softmax(x, -1, new ScalarTypeOptional()), Op.SOFTMAX, x);
    }

    /** log softmax over the last dimension. */
    public static Tensor logSoftmax(Tensor x) {
        return Recorder.note(torch.log_softmax(x, -1, new ScalarTypeOptional()), Op.LOG_SOFTMAX, x);
    }

    /** a + b. */
    public static Tensor add(Tensor a, Tensor b) {
        return Recorder.note(a.add(b), Op.ADD, a, b);
    }

    /** a - b. */
    public static Tensor sub(Tensor a, Tensor b) {
        return Recorder.note(a.sub(b), Op.SUB, a, b);
    }

    /** a·b, value by value. */
    public static Tensor mul(Tensor a, Tensor b) {
        return Recorder.note(a.mul(b), Op.MUL, a, b);
    }

    /** a / b. */
    public static Tensor div(Tensor a, Tensor b) {
        return Recorder.note(a.div(b), Op.DIV, a, b);
    }

    /** x + y·factor. */
    public static Tensor addScaled(Tensor x, Tensor y, double factor) {
        return Recorder.note(x.add(y, new Scalar(factor)), Op.ADD_SCALED, Map.of("factor", factor), x, y);
    }

    /** base + a·b. */
    public static Tensor addcmul(Tensor base, Tensor a, Tensor b) {
        return Recorder.note(torch.addcmul(base, a, b, new Scalar(1.0)), Op.ADDCMUL, base, a, b);
    }

    /** a where the condition holds, b elsewhere. */
    public static Tensor where(Tensor condition, Tensor a, Tensor b) {
        return Recorder.note(torch.where(condition, a, b), Op.WHERE, condition, a, b);
    }

    /** x + term. */
    public static Tensor add(Tensor x, double term) {
        return Recorder.note(x.add(new Scalar(term)), Op.ADD_NUMBER, Map.of("term", term), x);
    }

    /** x + term, for whole numbers such as indices. */
    public static Tensor addInteger(Tensor x, long term) {
        return Recorder.note(x.add(new Scalar(term)), Op.ADD_NUMBER, Map.of("term", (double) term), x);
    }

    /** x·factor. */
    public static Tensor mul(Tensor x, double factor) {
        return Recorder.note(x.mul(new Scalar(factor)), Op.MUL_NUMBER, Map.of("factor", factor), x);
    }

    /** x clamped to [low, high]. */
    public static Tensor clamp(Tensor x, double low, double high) {
        return Recorder.note(
                torch.clamp(x, new ScalarOptional(new Scalar(low)), new ScalarOptional(new Scalar(high))),
                Op.CLAMP,
                Map.of("low", low, "high", high),
                x);
    }

    /** x to a power, for x from 0; 1 everywhere for the power 0. Not recorded, since no network computes it. */
    public static Tensor power(Tensor x, double power) {
        return x.pow(new Scalar(power));
    }

    /** x above a threshold, as truth values. */
    public static Tensor greater(Tensor x, double threshold) {
        return Recorder.note(x.gt(new Scalar(threshold)), Op.GREATER, Map.of("threshold", threshold), x);
    }

    /** x ← x + y. */
    public static Tensor addInPlace(Tensor x, Tensor y) {
        return Recorder.note(() -> x.add_(y), Op.ADD, Map.of(), x, y);
    }

    /** x ← x + y·factor. */
    public static Tensor addScaledInPlace(Tensor x, Tensor y, double factor) {
        return Recorder.note(() -> x.add_(y, new Scalar(factor)), Op.ADD_SCALED, Map.of("factor", factor), x, y);
    }

    /** x ← x + a·b. */
    public static Tensor addcmulInPlace(Tensor x, Tensor a, Tensor b) {
        return Recorder.note(() -> x.addcmul_(a, b, new Scalar(1.0)), Op.ADDCMUL, Map.of(), x, a, b);
    }

    /** x ← x + term. */
    public static Tensor addInPlace(Tensor x, double term) {
        return Recorder.note(() -> x.add_(new Scalar(term)), Op.ADD_NUMBER, Map.of("term", term), x);
    }

    /** x ← x·factor. */
    public static Tensor mulInPlace(Tensor x, double factor) {
        return Recorder.note(() -> x.mul_(new Scalar(factor)), Op.MUL_NUMBER, Map.of("factor", factor), x);
    }

    /** The same values in row-major order in another shape, without a copy; one size may be -1. */
    public static Tensor view(Tensor x, long... shape) {
        return Recorder.reshaped(x.view(shape), x);
    }

    /** The same values in row-major order in another shape; one size may be -1. */
    public static Tensor reshape(Tensor x, long... shape) {
        return Recorder.reshaped(x.reshape(shape), x);
    }

    /** Dimensions {@code first} to {@code last} as one. */
    public static Tensor flatten(Tensor x, long first, long last) {
        return Recorder.reshaped(x.flatten(first, last), x);
    }

    /** A further dimension of length 1. */
    public static Tensor unsqueeze(Tensor x, long dim) {
        return Recorder.reshaped(x.unsqueeze(dim), x);
    }

    /** Dimension {@code order[i]} becomes dimension i, as a view. */
    public static Tensor permute(Tensor x, long... order) {
        Tensor y = x.permute(order);
        return Recorder.isOn() ? Recorder.note(y, Op.PERMUTE, Map.of("order", list(order)), x) : y;
    }

    /** Two dimensions exchanged, as a view. */
    public static Tensor transpose(Tensor x, int a, int b) {
        Tensor y = x.transpose(a, b);
        if (Recorder.isOn()) {
            int rank = (int) x.dim();
            List<Long> order = new ArrayList<>(LongStream.range(0, rank).boxed().toList());
            Collections.swap(order, Math.floorMod(a, rank), Math.floorMod(b, rank));
            Recorder.note(y, Op.PERMUTE, Map.of("order", order), x);
        }
        return y;
    }

    /** Elements from {@code start} (inclusive) to {@code end} along {@code dim} in steps, as a view. */
    public static Tensor slice(Tensor x, long dim, long start, long end, long step) {
        return Recorder.note(
                x.slice(dim, new LongOptional(start), new LongOptional(end), step),
                Op.SLICE,
                Map.of("dim", dim, "start", Size.of(start), "end", Size.of(end), "step", step),
                x);
    }

    /** {@code length} elements from {@code start} along {@code dim}, as a view. */
    public static Tensor narrow(Tensor x, long dim, long start, long length) {
        return Recorder.sliced(x.narrow(dim, start, length), x, dim, start, length);
    }

    /** One element of a dimension, which is removed, as a view. */
    public static Tensor select(Tensor x, long dim, long index) {
        return Recorder.note(x.select(dim, index), Op.SELECT, Map.of("dim", dim, "index", index), x);
    }

    /** Equal parts along {@code dim}, as views. */
    public static Tensor[] chunk(Tensor x, int parts, long dim) {
        Tensor[] result = array(x.chunk(parts, dim));
        long start = 0;
        for (int i = 0; Recorder.isOn() && i < result.length; i++) {
            long length = result[i].size(dim);
            Recorder.sliced(result[i], x, dim, start, length);
            start += length;
        }
        return result;
    }

    /** Slices along {@code dim} with that dimension removed, as views. */
    public static Tensor[] unbind(Tensor x, long dim) {
        Tensor[] result = array(x.unbind(dim));
        for (int i = 0; Recorder.isOn() && i < result.length; i++) {
            Recorder.note(result[i], Op.SELECT, Map.of("dim", dim, "index", (long) i), x);
        }
        return result;
    }

    /** Elements of a dimension in the order of {@code index} (K), whole numbers. */
    public static Tensor indexSelect(Tensor x, long dim, Tensor index) {
        return Recorder.note(x.index_select(dim, index), Op.INDEX_SELECT, Map.of("dim", dim), x, index);
    }

    /** A row of each sample: x (N, K, D), index (N), whole numbers below K → (N, D). */
    public static Tensor pickRows(Tensor x, Tensor index) {
        Tensor each = index.view(-1, 1, 1).expand(x.size(0), 1, x.size(2)); // (N, 1, D)
        return Recorder.note(x.gather(1, each).squeeze(1), Op.PICK_ROWS, x, index);
    }

    /** Place of the first of the largest elements of a dimension, which disappears. */
    public static Tensor argMax(Tensor x, long dim) {
        return Recorder.note(torch.argmax(x, new LongOptional(dim), false), Op.ARG_MAX, Map.of("dim", dim), x);
    }

    /** Concatenation along {@code dim}. */
    public static Tensor cat(long dim, Tensor... parts) {
        return Recorder.note(torch.cat(new TensorVector(parts), dim), Op.CONCAT, Map.of("dim", dim), parts);
    }

    /** Zeros around the two last dimensions, or around more when {@code amounts} is longer (last dimension first). */
    public static Tensor padZeros(Tensor x, long... amounts) {
        Tensor y = torch.constant_pad_nd(x, amounts);
        return Recorder.isOn() ? Recorder.note(y, Op.PAD, Map.of("amounts", list(amounts)), x) : y;
    }

    /** The same values in the same shape, row-major in memory. */
    public static Tensor contiguous(Tensor x) {
        return Recorder.same(x.contiguous(), x);
    }

    /** The same tensor as an object of its own, which may outlive the other. */
    public static Tensor alias(Tensor x) {
        return Recorder.same(x.alias(), x);
    }

    /** The same values without gradient. */
    public static Tensor detach(Tensor x) {
        return Recorder.same(x.detach(), x);
    }

    /** A copy. */
    public static Tensor copy(Tensor x) {
        return Recorder.same(x.clone(), x);
    }

    /** 2-D max pooling with square window. */
    public static Tensor maxPool(Tensor x, long window, long stride) {
        return Recorder.note(
                torch.max_pool2d(
                        x,
                        new long[] {window, window},
                        new long[] {stride, stride},
                        new long[] {0, 0},
                        new long[] {1, 1},
                        false),
                Op.MAX_POOL,
                Map.of("window", window, "stride", stride),
                x);
    }

    /** Average pooling to a grid of (rows, cols). */
    public static Tensor adaptiveAveragePool(Tensor x, long rows, long cols) {
        return Recorder.note(
                torch.adaptive_avg_pool2d(x, new long[] {rows, cols}),
                Op.AVERAGE_POOL,
                Map.of("rows", rows, "cols", cols),
                x);
    }

    /** Every pixel drawn twice by twice; x (N, C, H, W) → (N, C, 2H, 2W). */
    public static Tensor doubleSize(Tensor x) {
        return Recorder.note(torch.upsample_nearest2d(x, 2 * x.size(2), 2 * x.size(3)), Op.DOUBLE_SIZE, x);
    }

    /** Mean over one dimension, kept with size 1 when {@code keep}. */
    public static Tensor mean(Tensor x, long dim, boolean keep) {
        return Recorder.note(
                x.mean(new long[] {dim}, keep, new ScalarTypeOptional()), Op.MEAN, Map.of("dim", dim, "keep", keep), x);
    }

    /** Sum over one dimension, kept with size 1 when {@code keep}. */
    public static Tensor sum(Tensor x, long dim, boolean keep) {
        return Recorder.note(
                x.sum(new long[] {dim}, keep, new ScalarTypeOptional()), Op.SUM, Map.of("dim", dim, "keep", keep), x);
    }

    /** Mean over every dimension but the first; (N, …) → (N). */
    public static Tensor meanPerSample(Tensor x) {
        return mean(reshape(x, x.size(0), -1), 1, false);
    }

    /** √x. Not recorded, since no network computes it. */
    public static Tensor sqrt(Tensor x) {
        return x.sqrt();
    }

    /** x ← value. Not recorded, since no network computes it. */
    public static Tensor fill(Tensor x, double value) {
        return x.fill_(new Scalar(value));
    }

    /** How many values are neither infinite nor undefined. */
    public static long countFinite(Tensor x) {
        return x.isfinite().sum().item_long();
    }

    /** The square root of the sum of squares over all tensors, as a double. */
    public static double norm(List<Tensor> tensors) {
        try (Scope scope = Scope.open()) {
            Tensor[] norms = Boxed.call("aten::_foreach_norm", "Scalar", tensors, 2.0, null);
            return torch.stack(new TensorVector(norms)).norm().item_double();
        }
    }

    /** Copies of the references in a native vector: its own references die with it. */
    static Tensor[] array(TensorVector vector) {
        Tensor[] tensors = new Tensor[(int) vector.size()];
        for (int i = 0; i < tensors.length; i++) {
            tensors[i] = new Tensor(vector.get(i));
        }
        return tensors;
    }

    static TensorOptional optional(Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }

    private static List<Long> list(long... numbers) {
        return Arrays.stream(numbers).boxed().toList();
    }
}
