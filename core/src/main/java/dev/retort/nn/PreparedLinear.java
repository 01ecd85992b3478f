package dev.retort.nn;

import dev.retort.torch.Boxed;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Natives;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * y = x·Wᵀ + b for inference: the weight is copied once into the element type of the arithmetic and, on the CPU, into
 * oneDNN's own block layout, where GELU costs nothing beside the product. Independent of the layer it was made from.
 */
public final class PreparedLinear implements AutoCloseable {
    private static final List<Object> NO_SCALARS = List.of();

    private final Tensor weight;
    private final Tensor bias;
    private final Dtype dtype;
    private final boolean blocked;

    /**
     * Prepares.
     *
     * @param weight (out, in)
     * @param bias (out)
     * @param dtype arithmetic: F32 or BF16
     */
    public PreparedLinear(Tensor weight, Tensor bias, Dtype dtype) {
        this.dtype = dtype;
        blocked = !Device.of(weight).isCuda() && Natives.hasOneDnn();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor plain = dtype.cast(weight.detach());
            // The block layout is a copy already.
            this.weight = scope.keep(
                    blocked ? Boxed.call("mkldnn::_reorder_linear_weight", "", plain, null)[0] : plain.clone());
            this.bias = scope.keep(dtype.cast(bias.detach()).clone());
        }
    }

    /** x (…, in), any float type → (…, out) in the arithmetic's type. */
    public Tensor forward(Tensor x) {
        return blocked ? pointwise(x, "none", null) : Ops.linear(dtype.cast(x), weight, bias);
    }

    /** GELU (tanh approximation) of {@link #forward}. */
    public Tensor forwardGeluTanh(Tensor x) {
        return blocked ? pointwise(x, "gelu", "tanh") : Ops.geluTanh(forward(x));
    }

    private Tensor pointwise(Tensor x, String activation, String algorithm) {
        return Boxed.call(
                "mkldnn::_linear_pointwise", "", dtype.cast(x), weight, bias, activation, NO_SCALARS, algorithm)[0];
    }

    @Override
    public void close() {
        weight.close();
        bias.close();
    }
}
