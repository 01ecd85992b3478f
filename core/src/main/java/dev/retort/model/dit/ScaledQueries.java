package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * Puts the 1/√d of softmax(q·kᵀ/√d) into the rows of weight and bias that make q: a network for sampling does not compute it
 * in every step. {@link Attention} leaves it out where weights are given.
 */
final class ScaledQueries {
    private ScaledQueries() {}

    /** The same parameters, scaled as they are asked for. */
    static WeightSource of(DitSpec spec, WeightSource weights) {
        return (name, dtype) -> name.endsWith(".attn.qkv.weight") || name.endsWith(".attn.qkv.bias")
                ? scaled(spec, weights.take(name, Dtype.F32))
                : weights.take(name, dtype);
    }

    private static Tensor scaled(DitSpec spec, Tensor weight) {
        Ops.mulInPlace(Ops.narrow(weight, 0, 0, spec.hidden()), Attention.scale(spec.hidden(), spec.heads()));
        return weight;
    }
}
