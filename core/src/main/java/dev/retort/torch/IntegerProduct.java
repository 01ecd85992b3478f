package dev.retort.torch;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Products of unsigned bytes with weights in signed bytes in oneDNN, which adds them up in 32 bits; CPU, no graph. Where a CPU has
 * neither VNNI nor AMX, the sums of two products are held in 16 bits on the way and saturate, unless weights have 7 bits. (Signed
 * bytes on both sides are computed by a plain loop, a thousand times slower.)
 */
public final class IntegerProduct {
    /** What stands for zero in rows by their own magnitude. */
    public static final int MIDDLE = 128;

    private static final List<Object> NO_SCALARS = List.of();
    private static final int LEVELS = 255;
    private static final int FULL = 127;
    private static final int SEVEN_BITS = 63;
    private static final int SIZE = 64;

    /** By the largest weight, whether products with weights up to it are exact. */
    private static final Map<Integer, Boolean> EXACT = new ConcurrentHashMap<>();

    private IntegerProduct() {}

    /** Whether anything here computes them, with weights of 7 bits at least. */
    public static boolean possible() {
        return exact(SEVEN_BITS);
    }

    /** Whether weights of 8 bits would saturate here. */
    public static boolean saturates() {
        return !exact(FULL);
    }

    /** Tried once, on the largest numbers there are. */
    private static boolean exact(int largest) {
        Natives.load();
        return EXACT.computeIfAbsent(largest, IntegerProduct::tried);
    }

    private static boolean tried(int largest) {
        if (!torch.hasMKLDNN()) {
            return false;
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor weight = Dtype.I8.cast(Tensors.full(largest, Device.CPU, SIZE, SIZE));
            Tensor one = Tensors.full(1, Device.CPU, SIZE);
            Tensor packed = pack(weight);
            Tensor x = Dtype.U8.cast(Tensors.full(LEVELS, Device.CPU, SIZE, SIZE));
            Tensor y = multiply(x, 1, 0, packed, one, null, Dtype.F32, false);
            double exact = (double) LEVELS * largest * SIZE;
            return y.min().item_double() == exact && y.max().item_double() == exact;
        } catch (RuntimeException e) {
            return false; // libtorch or oneDNN says that this CPU cannot
        }
    }

    /** The weight (out, in), I8, in the blocks that oneDNN reads. */
    public static Tensor pack(Tensor weight) {
        return Boxed.call("onednn::qlinear_prepack", "", Ops.contiguous(weight), null)[0];
    }

    /**
     * (q - zeroPoint)·scale times (w·weightScale)ᵀ, plus b.
     *
     * @param q (…, in), U8, contiguous
     * @param packed from {@link #pack}
     * @param weightScale (out), fp32
     * @param bias (out), fp32, or null
     * @param out type of the result: F32 or BF16
     * @param geluTanh whether GELU (tanh approximation) is applied to the sum
     */
    public static Tensor multiply(
            Tensor q,
            double scale,
            long zeroPoint,
            Tensor packed,
            Tensor weightScale,
            Tensor bias,
            Dtype out,
            boolean geluTanh) {
        try (Scope scope = Scope.open()) {
            Tensor zeros = Dtype.I32.cast(Tensors.zeros(Device.CPU, weightScale.numel()));
            return scope.escape(
                    Boxed.call(
                            "onednn::qlinear_pointwise",
                            "",
                            q,
                            scale,
                            zeroPoint,
                            packed,
                            weightScale,
                            zeros,
                            bias,
                            1.0,
                            0L,
                            out.number(),
                            geluTanh ? "gelu" : "none",
                            NO_SCALARS,
                            geluTanh ? "tanh" : "none")[0]);
        }
    }

    /** x, fp32, in unsigned bytes: round(x / scale) + zeroPoint, from 0 to 255. */
    public static Tensor unsigned(Tensor x, double scale, long zeroPoint) {
        try (Scope scope = Scope.open()) {
            return scope.escape(
                    torch.int_repr(torch.quantize_per_tensor(x, scale, zeroPoint, torch.ScalarType.QUInt8)));
        }
    }

    /**
     * Rows in bytes, from 1 to 255 about {@link #MIDDLE}.
     *
     * @param values (…, D), U8
     * @param scales of each row (…, 1), fp32: its largest magnitude / 127, 1 for a row of zeros
     */
    public record Rows(Tensor values, Tensor scales) {}

    /** Each row of x (…, D), fp32, by its own largest magnitude. */
    public static Rows byRow(Tensor x) {
        Tensor plain = Ops.contiguous(x);
        if (FloatRows.fits(plain)) {
            return Fused.byteRows(plain);
        }
        try (Scope scope = Scope.open()) {
            Tensor scales = rowScales(plain);
            Tensor whole = Ops.add(plain.div(scales).round(), MIDDLE);
            return new Rows(scope.escape(Dtype.U8.cast(whole)), scope.escape(scales));
        }
    }

    /** What {@link Rows#scales} are. */
    static Tensor rowScales(Tensor x) {
        Tensor largest = x.abs().amax(new long[] {-1}, true);
        return torch.where(largest.gt(new Scalar(0)), largest.div(new Scalar(FULL)), largest.add(new Scalar(1)));
    }
}
