package dev.retort.torch;

import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Functional ops whose signatures in the presets need scalars, optionals or vectors. Null stands for "no bias" only. */
public final class Ops {
    private Ops() {}

    /** x·Wᵀ + b; x (…, in), w (out, in), b (out) or null. */
    public static Tensor linear(Tensor x, Tensor w, Tensor b) {
        LinearProducts own = ownProducts(x, w, b);
        if (own != null) {
            return OwnLinear.forward(own, x, w, b, false);
        }
        return b == null ? torch.linear(x, w) : torch.linear(x, w, new TensorOptional(b));
    }

    /** Our products, where they are chosen and can take these; else null. */
    private static LinearProducts ownProducts(Tensor x, Tensor w, Tensor b) {
        LinearProducts products =
                switch (Kernels.current().linear()) {
                    case SHARED -> LinearProducts.SHARED;
                    case ONEDNN -> LinearProducts.ONEDNN;
                    default -> null;
                };
        return products != null && OwnLinear.fits(x, w, b) && !Autocast.isOn(Device.CPU) ? products : null;
    }

    /** 2-D convolution; x (N, C, H, W), w (out, C, kH, kW), b (out) or null. */
    public static Tensor conv2d(Tensor x, Tensor w, Tensor b, long stride, long padding) {
        return convolution(Kernels.current().convolution(), x, w, b, stride, padding);
    }

    /** {@link #conv2d} by this kernel. */
    static Tensor convolution(Kernels.Convolution kernel, Tensor x, Tensor w, Tensor b, long stride, long padding) {
        boolean floats = kernel != Kernels.Convolution.ONEDNN
                && !x.is_cuda()
                && Dtype.of(x) == Dtype.F32
                && !Autocast.isOn(Device.CPU);
        if (floats && kernel == Kernels.Convolution.BLAS) {
            return torch.thnn_conv2d(
                    x,
                    w,
                    new long[] {w.size(2), w.size(3)},
                    optional(b),
                    new long[] {stride, stride},
                    padding,
                    padding);
        }
        Tensor laidOut = floats ? x.contiguous(torch.MemoryFormat.ChannelsLast) : x;
        return torch.conv2d(
                laidOut,
                w,
                optional(b),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                1);
    }

    /** Layer norm over the last dimension without affine parameters. */
    public static Tensor layerNorm(Tensor x, double eps) {
        return torch.layer_norm(x, new long[] {x.size(-1)}, new TensorOptional(), new TensorOptional(), eps, false);
    }

    /** Batch norm; running statistics are updated in place when {@code training}. */
    public static Tensor batchNorm(
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor mean,
            Tensor var,
            boolean training,
            double momentum,
            double eps) {
        return torch.batch_norm(
                x, optional(weight), optional(bias), optional(mean), optional(var), training, momentum, eps, false);
    }

    /** Group norm over (channels of a group, H, W); x (N, C, …), weight and bias (C). */
    public static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double eps) {
        return torch.group_norm(x, groups, optional(weight), optional(bias), eps, false);
    }

    /** Every pixel drawn twice by twice; x (N, C, H, W) → (N, C, 2H, 2W). */
    public static Tensor doubleSize(Tensor x) {
        return torch.upsample_nearest2d(x, 2 * x.size(2), 2 * x.size(3));
    }

    /** x Φ(x), the exact GELU. */
    public static Tensor gelu(Tensor x) {
        return torch.gelu(x, "none");
    }

    /** GELU with the tanh approximation. */
    public static Tensor geluTanh(Tensor x) {
        if (!fused(x) || !x.is_contiguous()) {
            return torch.gelu(x, "tanh");
        }
        Tensor flat = x.detach().view(-1, x.size(-1));
        Tensor y = Fused.geluTanh(flat); // (rows, D)
        if (Differentiable.wanted(x)) {
            y = Differentiable.tie(
                    y, g -> new Tensor[] {Fused.geluTanhGradient(flat, g).view_as(x)}, x);
        }
        return y.view(Tensors.shape(x));
    }

    /** {@link #geluTanh} of {@link #linear}. */
    public static Tensor linearGeluTanh(Tensor x, Tensor w, Tensor b) {
        LinearProducts own = ownProducts(x, w, b);
        return own != null && Kernels.current().elementwise() == Kernels.Elementwise.FUSED
                ? OwnLinear.forward(own, x, w, b, true)
                : geluTanh(linear(x, w, b));
    }

    /** x / √(mean(x²) + eps) · weight over the last dimension (Zhang and Sennrich 2019), in fp32; weight (D). */
    public static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
        Tensor wide = Dtype.F32.cast(x);
        return wide.mul(add(mean(wide.mul(wide), -1, true), eps).rsqrt()).mul(weight);
    }

    /**
     * norm(x)·factor + shift, what adaptive norms of transformers compute.
     *
     * @param x (N, T, D)
     * @param weight (D) of an {@link #rmsNorm}, or null for a {@link #layerNorm}
     * @param shift (N, 1, D), and factor likewise
     */
    public static Tensor modulatedNorm(Tensor x, Tensor weight, Tensor shift, Tensor factor, double eps) {
        if (fused(x, shift, factor) && x.is_contiguous() && !Differentiable.wanted(x, weight, shift, factor)) {
            return Fused.modulatedNorm(x, weight, shift, factor, eps);
        }
        return addcmul(shift, weight == null ? layerNorm(x, eps) : rmsNorm(x, weight, eps), factor);
    }

    /** Whether {@link Fused} may compute with these. */
    private static boolean fused(Tensor... tensors) {
        if (Kernels.current().elementwise() != Kernels.Elementwise.FUSED || Autocast.isOn(Device.CPU)) {
            return false;
        }
        for (Tensor tensor : tensors) {
            if (!FloatRows.fits(tensor)) {
                return false;
            }
        }
        return true;
    }

    /** x·sigmoid(x). */
    public static Tensor silu(Tensor x) {
        return torch.silu(x);
    }

    /** max(x, 0). */
    public static Tensor relu(Tensor x) {
        return torch.relu(x);
    }

    /** Softmax over the last dimension. */
    public static Tensor softmax(Tensor x) {
        return torch.softmax(x, -1, new ScalarTypeOptional());
    }

    /** log softmax over the last dimension. */
    public static Tensor logSoftmax(Tensor x) {
        return torch.log_softmax(x, -1, new ScalarTypeOptional());
    }

    /**
     * Attention of one projection: softmax(scale·q·kᵀ)·v per head.
     *
     * @param joint (N, T, 3·heads·d): q, k and v beside each other, each head-major
     * @return (N, T, heads·d)
     */
    public static Tensor attention(Tensor joint, int heads, double scale) {
        if (Kernels.current().attention() == Kernels.Attention.SHARED
                && joint.is_contiguous()
                && BlasAttention.fits(joint)
                && !Autocast.isOn(Device.CPU)) {
            return BlasAttention.joint(Natives.team(), joint, heads, scale);
        }
        Tensor[] parts = BlasAttention.parts(joint, heads);
        return attention(parts[0], parts[1], parts[2], scale);
    }

    /** softmax(scale·q·kᵀ)·v; all (N, heads, T, d) → (N, T, heads·d). */
    public static Tensor attention(Tensor q, Tensor k, Tensor v, double scale) {
        Kernels.Attention kernel = Kernels.current().attention();
        boolean floats = BlasAttention.fits(q, k, v) && !Autocast.isOn(Device.CPU);
        if (floats && kernel == Kernels.Attention.SHARED) {
            return BlasAttention.forward(Natives.team(), q, k, v, scale);
        }
        Tensor mixed; // (N, heads, T, d)
        if (q.is_cuda() || floats && kernel == Kernels.Attention.FUSED) {
            mixed = torch.scaled_dot_product_attention(
                    q, k, v, new TensorOptional(), 0.0, false, new DoubleOptional(scale), false);
        } else {
            Tensor scaled = scale == 1 ? q : mul(q, scale);
            mixed = matmul(softmax(matmul(scaled, k.transpose(-2, -1))), v);
        }
        return mixed.transpose(1, 2).reshape(q.size(0), q.size(2), q.size(1) * q.size(3));
    }

    /** a·b, batched. */
    public static Tensor matmul(Tensor a, Tensor b) {
        return torch.matmul(a, b);
    }

    /** Rows of a table; table (K, D), index (N) → (N, D). */
    public static Tensor embedding(Tensor table, Tensor index) {
        return torch.embedding(table, index);
    }

    /** Mean cross entropy; logits (N, K), labels (N). */
    public static Tensor crossEntropy(Tensor logits, Tensor labels) {
        return torch.cross_entropy(logits, labels);
    }

    /** Concatenation along {@code dim}. */
    public static Tensor cat(long dim, Tensor... parts) {
        return torch.cat(new TensorVector(parts), dim);
    }

    /** Equal parts along {@code dim}, as views. */
    public static Tensor[] chunk(Tensor x, int parts, long dim) {
        return array(x.chunk(parts, dim));
    }

    /** Slices along {@code dim} with that dimension removed, as views. */
    public static Tensor[] unbind(Tensor x, long dim) {
        return array(x.unbind(dim));
    }

    /** x·factor. */
    public static Tensor mul(Tensor x, double factor) {
        return x.mul(new Scalar(factor));
    }

    /** x + term. */
    public static Tensor add(Tensor x, double term) {
        return x.add(new Scalar(term));
    }

    /** x + term, for whole numbers such as indices. */
    public static Tensor shift(Tensor x, long term) {
        return x.add(new Scalar(term));
    }

    /** x + y·factor. */
    public static Tensor addScaled(Tensor x, Tensor y, double factor) {
        return x.add(y, new Scalar(factor));
    }

    /** x ← x·factor. */
    public static Tensor mulInPlace(Tensor x, double factor) {
        return x.mul_(new Scalar(factor));
    }

    /** x ← x + term. */
    public static Tensor addInPlace(Tensor x, double term) {
        return x.add_(new Scalar(term));
    }

    /** x ← x + y·factor. */
    public static Tensor addScaledInPlace(Tensor x, Tensor y, double factor) {
        return x.add_(y, new Scalar(factor));
    }

    /** x ← value. */
    public static Tensor fill(Tensor x, double value) {
        return x.fill_(new Scalar(value));
    }

    /** base + a·b. */
    public static Tensor addcmul(Tensor base, Tensor a, Tensor b) {
        return torch.addcmul(base, a, b, new Scalar(1.0));
    }

    /** x ← x + a·b. */
    public static Tensor addcmulInPlace(Tensor x, Tensor a, Tensor b) {
        return x.addcmul_(a, b, new Scalar(1.0));
    }

    /** x^exponent. */
    public static Tensor pow(Tensor x, double exponent) {
        return x.pow(new Scalar(exponent));
    }

    /** x clamped to [low, high]. */
    public static Tensor clamp(Tensor x, double low, double high) {
        return torch.clamp(x, new ScalarOptional(new Scalar(low)), new ScalarOptional(new Scalar(high)));
    }

    /** x above a threshold, as truth values. */
    public static Tensor greater(Tensor x, double threshold) {
        return x.gt(new Scalar(threshold));
    }

    /** a where the condition holds, b elsewhere. */
    public static Tensor where(Tensor condition, Tensor a, Tensor b) {
        return torch.where(condition, a, b);
    }

    /** Mean over every dimension but the first; (N, …) → (N). */
    public static Tensor meanPerSample(Tensor x) {
        return x.reshape(x.size(0), -1).mean(new long[] {1}, false, new ScalarTypeOptional());
    }

    /** Mean over one dimension, kept with size 1 when {@code keep}. */
    public static Tensor mean(Tensor x, long dim, boolean keep) {
        return x.mean(new long[] {dim}, keep, new ScalarTypeOptional());
    }

    /** Sum over one dimension, kept with size 1 when {@code keep}. */
    public static Tensor sum(Tensor x, long dim, boolean keep) {
        return x.sum(new long[] {dim}, keep, new ScalarTypeOptional());
    }

    /** Elements from {@code start} (inclusive) to {@code end} along {@code dim} in steps, as a view. */
    public static Tensor slice(Tensor x, long dim, long start, long end, long step) {
        return x.slice(dim, new LongOptional(start), new LongOptional(end), step);
    }

    /** Zeros around the two last dimensions, or around more when {@code amounts} is longer (last dimension first). */
    public static Tensor padZeros(Tensor x, long... amounts) {
        return torch.constant_pad_nd(x, amounts);
    }

    /** Average pooling to a grid of (rows, cols). */
    public static Tensor adaptiveAveragePool(Tensor x, long rows, long cols) {
        return torch.adaptive_avg_pool2d(x, new long[] {rows, cols});
    }

    /** 2-D max pooling with square window. */
    public static Tensor maxPool(Tensor x, long window, long stride) {
        return torch.max_pool2d(
                x,
                new long[] {window, window},
                new long[] {stride, stride},
                new long[] {0, 0},
                new long[] {1, 1},
                false);
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

    private static TensorOptional optional(Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }
}
