package dev.retort.model;

import dev.retort.card.QuantizationSpec;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Dtype;
import dev.retort.torch.Nibbles;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Weights of a quantised model: whole numbers for layers that multiply these, floats for all else.
 *
 * @param stored as its file has them
 * @param spec how they are quantised
 */
public record QuantizedSource(WeightSource stored, QuantizationSpec spec) implements WeightSource {
    @Override
    public Tensor take(String name, Dtype dtype) {
        if (!spec.quantizes(name)) {
            return stored.take(name, dtype);
        }
        Tensor whole =
                spec.weightBits() == 4 ? Nibbles.unpack(stored.take(name, Dtype.U8)) : stored.take(name, Dtype.I8);
        if (dtype == Dtype.I8) {
            return whole;
        }
        Tensor wide = Dtype.F32.cast(whole); // before the scales come, which may take its memory
        String layer = name.substring(0, name.length() - QuantizationSpec.WEIGHT.length());
        return widened(wide, stored.take(layer + QuantizationSpec.WEIGHT_SCALE, Dtype.F32));
    }

    /**
     * Weights as floats.
     *
     * @param whole (out, …) whole numbers in fp32
     * @param scale (out), or (out, groups)
     */
    public static Tensor widened(Tensor whole, Tensor scale) {
        Tensor rows = Ops.view(whole, scale.numel(), -1);
        return Ops.view(Ops.mul(rows, Ops.view(scale, -1, 1)), Tensors.shape(whole));
    }

    @Override
    public Optional<QuantizationSpec> quantization(String layer) {
        return Optional.of(spec).filter(all -> all.layers().contains(layer));
    }
}
