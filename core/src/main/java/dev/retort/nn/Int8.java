package dev.retort.nn;

import dev.retort.torch.Dtype;
import dev.retort.torch.IntegerProduct;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * The kernel for sampling a quantised layer: inputs are rounded to 8 bits, each row by its own largest magnitude or by the range
 * measured at the step's time, and multiplied with the weight in whole numbers ({@link IntegerProduct}). A picture does not depend
 * on those beside it. Independent of the tensors it was made from; CPU; no gradient.
 */
public final class Int8 implements Kernel {
    private final Tensor packed;
    private final Tensor weightScale;
    private final Tensor bias;
    private final Dtype out;
    private final InputRanges ranges;
    private final float[] inputScales;
    private final float[] zeroPoints;

    /**
     * Packs.
     *
     * @param bias (out), fp32, or null
     * @param out type of what it computes: F32, or BF16 where that is what products around it take
     */
    public Int8(QuantizedLayer layer, Tensor bias, Dtype out) {
        this.out = out;
        boolean measured = layer.inputScale() != null;
        inputScales = measured ? Tensors.floats(layer.inputScale()) : null;
        zeroPoints = measured ? Tensors.floats(layer.inputZeroPoint()) : null;
        // what is computed once for all steps has one range for all, and knows no time
        ranges = measured ? new InputRanges(layer.times(), alike() ? 1 : inputScales.length) : null;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            packed = scope.keep(IntegerProduct.pack(Ops.flatten(layer.weight(), 1, -1)));
            weightScale = scope.keep(Ops.copy(layer.weightScale()));
            this.bias = bias == null ? null : scope.keep(Ops.copy(Dtype.F32.cast(Ops.detach(bias))));
        }
    }

    @Override
    public Tensor apply(Affine layer, Tensor x) {
        return layer.fromRows(product(rows(layer, x), false), x);
    }

    @Override
    public Tensor geluTanh(Affine layer, Tensor x) {
        Tensor rows = rows(layer, x);
        return layer.fromRows(ranges == null ? Ops.geluTanh(product(rows, false)) : product(rows, true), x);
    }

    private boolean alike() {
        return IntStream.range(1, inputScales.length)
                .allMatch(i -> inputScales[i] == inputScales[0] && zeroPoints[i] == zeroPoints[0]);
    }

    private static Tensor rows(Affine layer, Tensor x) {
        return Ops.contiguous(Dtype.F32.cast(layer.rows(x)));
    }

    private Tensor product(Tensor rows, boolean geluTanh) {
        try (Scope scope = Scope.open()) {
            return scope.escape(
                    ranges == null ? byRow(rows) : ranges.apply(rows, range -> part -> byRange(part, range, geluTanh)));
        }
    }

    private Tensor byRange(Tensor rows, int range, boolean geluTanh) {
        double scale = inputScales[range];
        long zero = Math.round(zeroPoints[range]);
        Tensor q = IntegerProduct.unsigned(rows, scale, zero);
        return IntegerProduct.multiply(q, scale, zero, packed, weightScale, bias, out, geluTanh);
    }

    private Tensor byRow(Tensor rows) {
        IntegerProduct.Rows q = IntegerProduct.byRow(rows);
        Tensor y = IntegerProduct.multiply(
                q.values(), 1, IntegerProduct.MIDDLE, packed, weightScale, null, Dtype.F32, false);
        return out.cast(bias == null ? Ops.mul(y, q.scales()) : Ops.addcmul(bias, y, q.scales()));
    }

    @Override
    public void close() {
        packed.close();
        weightScale.close();
        if (bias != null) {
            bias.close();
        }
    }
}
