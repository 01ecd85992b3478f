package dev.retort.nn;

import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Kernels;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.PackedProduct;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;

/**
 * The kernel for sampling: the weight is copied once into its element type and, on a CPU whose oneDNN multiplies that
 * type, into oneDNN's own block layout, where GELU costs nothing beside the product. Elsewhere bf16 saves memory only: the
 * weight is widened for each product. Independent of the tensors it was made from; no gradient.
 */
public final class Packed implements Kernel {
    private enum Form {
        /** In oneDNN's blocks. */
        BLOCKS,
        /** Row-major, multiplied as it is. */
        ROWS,
        /** Row-major bf16, multiplied in fp32. */
        WIDENED
    }

    private final Tensor weight;
    private final Tensor bias;
    private final Dtype dtype;
    private final Form form;

    /**
     * Packs.
     *
     * @param weight (out, …), the others being the values of a row of x
     * @param bias (out), or null
     * @param dtype of the weight: F32 or BF16
     */
    Packed(Tensor weight, Tensor bias, Dtype dtype) {
        this.dtype = dtype;
        form = form(Device.of(weight), dtype, weight.size(0));
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor plain = Ops.flatten(dtype.cast(Ops.detach(weight)), 1, -1);
            // The block layout is a copy already.
            this.weight = scope.keep(form == Form.BLOCKS ? PackedProduct.pack(plain) : Ops.copy(plain));
            this.bias = bias == null ? null : scope.keep(Ops.copy(dtype.cast(Ops.detach(bias))));
        }
    }

    /**
     * A kernel with the weight that a layer has now.
     *
     * @param layer one that is a product of rows ({@link Affine#isProduct})
     * @param dtype of the weight: F32 or BF16
     */
    public static Packed of(Affine layer, Dtype dtype) {
        if (!layer.isProduct()) {
            throw new IllegalArgumentException("a convolution whose windows overlap is no product of rows");
        }
        return new Packed(layer.weight(), layer.bias().orElse(null), dtype);
    }

    private static Form form(Device device, Dtype dtype, long width) {
        if (device.isCuda()) {
            return Form.ROWS;
        }
        if (dtype == Dtype.BF16 && Kernels.current().half() == Kernels.Half.WIDENED) {
            return Form.WIDENED;
        }
        return PackedProduct.possible(dtype, width) ? Form.BLOCKS : Form.ROWS;
    }

    /** x, any float type → in the arithmetic's type. */
    @Override
    public Tensor apply(Affine layer, Tensor x) {
        return layer.fromRows(product(layer.rows(form == Form.WIDENED ? x : dtype.cast(x))), x);
    }

    private Tensor product(Tensor rows) {
        return switch (form) {
            case BLOCKS -> PackedProduct.multiply(rows, weight, bias, "none", null);
            case ROWS -> Ops.linear(rows, weight, bias);
            case WIDENED -> PackedProduct.widened(rows, weight, bias);
        };
    }

    @Override
    public Tensor geluTanh(Affine layer, Tensor x) {
        return layer.fromRows(productGeluTanh(layer.rows(form == Form.WIDENED ? x : dtype.cast(x))), x);
    }

    private Tensor productGeluTanh(Tensor rows) {
        return switch (form) {
            case BLOCKS ->
                dtype == Dtype.F32 && Kernels.current().elementwise() == Kernels.Elementwise.FUSED
                        ? Ops.geluTanh(product(rows))
                        : PackedProduct.multiply(rows, weight, bias, "gelu", "tanh");
            case ROWS -> Ops.linearGeluTanh(rows, weight, bias);
            case WIDENED -> Ops.geluTanh(product(rows));
        };
    }

    @Override
    public void close() {
        weight.close();
        if (bias != null) {
            bias.close();
        }
    }
}
