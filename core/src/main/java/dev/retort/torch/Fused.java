package dev.retort.torch;

import java.nio.ByteBuffer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/**
 * Element-wise work that libtorch is slow at, in one pass over its operands; fp32 on the CPU, operands that
 * {@link FloatRows#fits}.
 *
 * <p>On two cores of an AMD EPYC (Zen 5) capped to AVX2, 27 November 2026, 1568 x 1024 values: GELU 0.6 ms beside libtorch's
 * 2.2, its gradient 1.1 beside 2.4; 1568 x 256 values, a modulated layer norm 0.12 beside 0.23 ms. Gates, SwiGLU and the
 * gradients of norms were tried too and are no faster: to give a function a gradient costs more than their passes do.
 */
final class Fused {
    private static final double NANOS_A_VALUE = 1;

    private Fused() {}

    /** GELU with the tanh approximation; x (rows, D), contiguous → the same shape; no graph. */
    static Tensor geluTanh(Tensor x) {
        FloatRows from = new FloatRows(x);
        int width = from.width();
        Tensor y = empty(from.count(), width);
        FloatRows to = new FloatRows(y);
        each(from, () -> {
            float[] in = new float[width];
            float[] out = new float[width];
            return row -> {
                from.read(row, in);
                FloatMath.geluTanh(in, out, width);
                to.write(row, out);
            };
        });
        return y;
    }

    /** The gradient of {@link #geluTanh} at x under that of its value; both (rows, D), contiguous. */
    static Tensor geluTanhGradient(Tensor x, Tensor gradient) {
        FloatRows from = new FloatRows(x);
        FloatRows arrived = new FloatRows(gradient);
        int width = from.width();
        Tensor result = empty(from.count(), width);
        FloatRows into = new FloatRows(result);
        each(from, () -> {
            float[] in = new float[width];
            float[] g = new float[width];
            float[] t = new float[width];
            return row -> {
                from.read(row, in);
                arrived.read(row, g);
                FloatMath.geluTanhGradient(in, g, t, width);
                into.write(row, g);
            };
        });
        return result;
    }

    /**
     * norm(x)·factor + shift, no graph.
     *
     * @param x (N, T, D), contiguous
     * @param weight of an RMS norm, (D); null for a layer norm without parameters
     * @param shift (N, 1, D), and factor likewise
     */
    static Tensor modulatedNorm(Tensor x, Tensor weight, Tensor shift, Tensor factor, double eps) {
        FloatRows from = new FloatRows(x);
        FloatRows shifts = new FloatRows(shift);
        FloatRows factors = new FloatRows(factor);
        int width = from.width();
        int tokens = from.count() / factors.count();
        float[] weights = new float[width];
        if (weight != null) {
            new FloatRows(weight).read(0, weights);
        }
        Tensor y = empty(from.count(), width);
        FloatRows to = new FloatRows(y);
        each(from, () -> {
            float[] v = new float[width];
            float[] f = new float[width];
            float[] s = new float[width];
            float[] squares = new float[width];
            int[] sample = {-1};
            return row -> {
                if (row / tokens != sample[0]) {
                    sample[0] = row / tokens;
                    factors.read(sample[0], f);
                    shifts.read(sample[0], s);
                    if (weight != null) {
                        FloatMath.multiply(f, weights, width);
                    }
                }
                from.read(row, v);
                if (weight == null) {
                    FloatMath.subtract(v, FloatMath.sum(v, width) / width, width);
                }
                double scale = 1 / Math.sqrt(FloatMath.dot(v, v, squares, width) / width + eps);
                FloatMath.affine(v, (float) scale, f, s, width);
                to.write(row, v);
            };
        });
        return y.view(Tensors.shape(x));
    }

    /** Each row of x (…, D), contiguous, in bytes by its own largest magnitude; no graph. */
    static IntegerProduct.Rows byteRows(Tensor x) {
        FloatRows from = new FloatRows(x);
        int width = from.width();
        Tensor values = Tensors.empty(Dtype.U8, Device.CPU, Tensors.shape(x));
        ByteBuffer bytes = Tensors.view(values);
        long[] shape = Tensors.shape(x);
        shape[shape.length - 1] = 1;
        Tensor scales = Tensors.empty(Dtype.F32, Device.CPU, shape);
        FloatRows scaleOf = new FloatRows(scales);
        each(from, () -> {
            float[] v = new float[width];
            byte[] q = new byte[width];
            float[] scale = new float[1];
            return row -> {
                from.read(row, v);
                scale[0] = FloatMath.toBytes(v, q, width);
                bytes.put(row * width, q, 0, width);
                scaleOf.write(row, scale);
            };
        });
        return new IntegerProduct.Rows(values, scales);
    }

    private static Tensor empty(long rows, long width) {
        return Tensors.empty(Dtype.F32, Device.CPU, rows, width);
    }

    private static void each(FloatRows rows, Supplier<IntConsumer> worker) {
        Natives.team().share(rows.count(), NANOS_A_VALUE * rows.count() * rows.width(), worker);
    }
}
