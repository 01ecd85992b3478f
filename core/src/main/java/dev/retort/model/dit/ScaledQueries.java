package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.card.QuantizationSpec;
import dev.retort.nn.Kernel;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Puts the 1/√d of softmax(q·kᵀ/√d) into the rows of weight and bias that make q: a network for sampling does not compute it
 * in every step. {@link Attention} leaves it out where weights are given.
 */
record ScaledQueries(DitSpec spec, WeightSource weights) implements WeightSource {
    private static final String QUERIES = ".attn.qkv";

    @Override
    public Tensor take(String name, Dtype dtype) {
        return dtype != Dtype.I8 && holdsQueries(name)
                ? scaled(weights.take(name, Dtype.F32))
                : weights.take(name, dtype);
    }

    /** Of whole numbers it is their scales that are scaled. */
    private static boolean holdsQueries(String name) {
        return name.endsWith(QUERIES + QuantizationSpec.WEIGHT)
                || name.endsWith(QUERIES + QuantizationSpec.WEIGHT_SCALE)
                || name.endsWith(QUERIES + ".bias");
    }

    private Tensor scaled(Tensor rows) {
        Ops.mulInPlace(Ops.narrow(rows, 0, 0, spec.hidden()), Attention.scale(spec.hidden(), spec.heads()));
        return rows;
    }

    @Override
    public Optional<QuantizationSpec> quantization(String layer) {
        return weights.quantization(layer);
    }

    @Override
    public Kernel around(String layer, Kernel kernel) {
        return weights.around(layer, kernel);
    }
}
