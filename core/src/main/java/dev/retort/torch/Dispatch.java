package dev.retort.torch;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Ops that several kernels can compute: which of them does, on this device and as {@link Kernels} was measured. */
final class Dispatch {
    /** Scores of a head, a megabyte of them: 512 queries to as many keys, or 4096 to the tokens of a text. */
    private static final long MANY_SCORES = 1 << 18;

    private Dispatch() {}

    /** {@link Ops#linear}. */
    static Tensor linear(Tensor x, Tensor w, Tensor b) {
        LinearProducts own = ownProducts(x, w, b);
        if (own != null) {
            return OwnLinear.forward(own, x, w, b, false);
        }
        return b == null ? torch.linear(x, w) : torch.linear(x, w, new TensorOptional(b));
    }

    /** Our products, where they are chosen and can take these; else null. */
    private static LinearProducts ownProducts(Tensor x, Tensor w, Tensor b) {
        if (!mayBeOurs(x)) {
            return null;
        }
        LinearProducts products =
                switch (Kernels.current().linear()) {
                    case SHARED -> LinearProducts.SHARED;
                    case ONEDNN -> LinearProducts.ONEDNN;
                    default -> null;
                };
        return products != null && OwnLinear.fits(x, w, b) ? products : null;
    }

    /** Whether another kernel than libtorch's may be asked: it has no GPU, one derivative, and the types it is given. */
    private static boolean mayBeOurs(Tensor x) {
        return !x.is_cuda() && !ExactMath.isOn() && !Autocast.isOn(Device.CPU);
    }

    /** {@link Ops#conv2d}. */
    static Tensor conv2d(Tensor x, Tensor w, Tensor b, long stride, long padding) {
        Kernels.Convolution kernel =
                x.is_cuda() ? Kernels.Convolution.ONEDNN : Kernels.current().convolution();
        return conv2d(kernel, x, w, b, stride, padding);
    }

    /** {@link Ops#conv2d} by this kernel, where it is on the CPU. */
    static Tensor conv2d(Kernels.Convolution kernel, Tensor x, Tensor w, Tensor b, long stride, long padding) {
        boolean floats = kernel != Kernels.Convolution.ONEDNN
                && !x.is_cuda()
                && Dtype.of(x) == Dtype.F32
                && !Autocast.isOn(Device.CPU);
        if (floats && kernel == Kernels.Convolution.BLAS) {
            return torch.thnn_conv2d(
                    x,
                    w,
                    new long[] {w.size(2), w.size(3)},
                    Ops.optional(b),
                    new long[] {stride, stride},
                    padding,
                    padding);
        }
        Tensor laidOut = floats ? x.contiguous(torch.MemoryFormat.ChannelsLast) : x;
        return torch.conv2d(
                laidOut,
                w,
                Ops.optional(b),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                1);
    }

    /** {@link Ops#geluTanh}. */
    static Tensor geluTanh(Tensor x) {
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

    /** {@link Ops#linearGeluTanh}. */
    static Tensor linearGeluTanh(Tensor x, Tensor w, Tensor b) {
        LinearProducts own = ownProducts(x, w, b);
        return own != null && Kernels.current().elementwise() == Kernels.Elementwise.FUSED
                ? OwnLinear.forward(own, x, w, b, true)
                : geluTanh(linear(x, w, b));
    }

    /** {@link Ops#rmsNorm}. */
    static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
        Tensor wide = Dtype.F32.cast(x);
        return wide.mul(Ops.add(Ops.mean(wide.mul(wide), -1, true), eps).rsqrt())
                .mul(weight);
    }

    /** {@link Ops#modulatedNorm}. */
    static Tensor modulatedNorm(Tensor x, Tensor weight, Tensor shift, Tensor factor, double eps) {
        if (fused(x, shift, factor) && x.is_contiguous() && !Differentiable.wanted(x, weight, shift, factor)) {
            return Fused.modulatedNorm(x, weight, shift, factor, eps);
        }
        return Ops.addcmul(shift, weight == null ? Ops.layerNorm(x, eps) : rmsNorm(x, weight, eps), factor);
    }

    /** Whether {@link Fused} may compute with these. */
    private static boolean fused(Tensor... tensors) {
        if (!mayBeOurs(tensors[0]) || Kernels.current().elementwise() != Kernels.Elementwise.FUSED) {
            return false;
        }
        for (Tensor tensor : tensors) {
            if (!FloatRows.fits(tensor)) {
                return false;
            }
        }
        return true;
    }

    /** {@link Ops#attention(Tensor, int, double)}. */
    static Tensor attention(Tensor joint, int heads, double scale) {
        if (mayBeOurs(joint)
                && Kernels.current().attention() == Kernels.Attention.SHARED
                && joint.is_contiguous()
                && BlasAttention.fits(joint)) {
            return BlasAttention.joint(Natives.team(), joint, heads, scale);
        }
        Tensor[] parts = BlasAttention.parts(joint, heads);
        return attention(parts[0], parts[1], parts[2], null, scale);
    }

    /** {@link Ops#attention(Tensor, Tensor, Tensor, Tensor, double)}. */
    static Tensor attention(Tensor q, Tensor k, Tensor v, Tensor mask, double scale) {
        Kernels.Attention kernel = attentionKernel(q, k, v);
        if (kernel == Kernels.Attention.SHARED && mask == null) {
            return BlasAttention.forward(Natives.team(), q, k, v, scale);
        }
        Tensor mixed; // (N, heads, T, d)
        if (kernel == Kernels.Attention.FUSED) {
            mixed = torch.scaled_dot_product_attention(
                    q, k, v, Ops.optional(mask), 0.0, false, new DoubleOptional(scale), false);
        } else {
            Tensor scores = Ops.matmul(scale == 1 ? q : Ops.mul(q, scale), k.transpose(-2, -1)); // (N, heads, T, S)
            mixed = Ops.matmul(Ops.softmax(mask == null ? scores : scores.add(mask)), v);
        }
        return mixed.transpose(1, 2).reshape(q.size(0), q.size(2), q.size(1) * q.size(3));
    }

    private static Kernels.Attention attentionKernel(Tensor q, Tensor k, Tensor v) {
        if (q.is_cuda() && !ExactMath.isOn()) {
            return Kernels.Attention.FUSED;
        }
        boolean ours = mayBeOurs(q) && BlasAttention.fits(q, k, v);
        Kernels.Attention chosen = ours ? Kernels.current().attention() : Kernels.Attention.PLAIN;
        return chosen == Kernels.Attention.PLAIN && isLong(q, k) ? Kernels.Attention.FUSED : chosen;
    }

    /**
     * Whether the scores of a head are so many that it pays to compute them in tiles, where no gradient needs them; not in 16 bits, whose tiles this
     * build of libtorch multiplies several times slower.
     */
    private static boolean isLong(Tensor q, Tensor k) {
        return q.size(2) * k.size(2) >= MANY_SCORES && Dtype.of(q) == Dtype.F32 && NoGrad.isOn() && !ExactMath.isOn();
    }

    /** Whether attention keeps no more scores at a time than a tile of them. */
    static boolean attendsInTiles(Tensor q, Tensor k, Tensor v) {
        return attentionKernel(q, k, v) == Kernels.Attention.FUSED;
    }
}
