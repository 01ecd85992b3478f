package dev.retort.export;

import dev.retort.card.QuantizationSpec;
import dev.retort.torch.FakeQuantize;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.Ops;
import org.bytedeco.pytorch.Tensor;

/**
 * Products of a model whose inputs are rounded as its layers are quantised, in fp32; of floats where it is not.
 *
 * @param range which of the activations' ranges is taken
 */
record RoundedProduct(OpenedModel model, int range) implements GraphReplay.Product {
    @Override
    public Tensor of(String name, Tensor x, Tensor weight, Tensor bias) {
        return Ops.linear(rounded(name, x), weight, bias);
    }

    private Tensor rounded(String name, Tensor x) {
        QuantizationSpec spec = model.card().quantization();
        if (spec == null || !spec.quantizes(name)) {
            return x;
        }
        return spec.activations() == QuantizationSpec.Activations.DYNAMIC
                ? FakeQuantize.signed(x)
                : FakeQuantize.unsigned(
                        x,
                        one(model.beside(name, QuantizationSpec.INPUT_SCALE)),
                        one(model.beside(name, QuantizationSpec.INPUT_ZERO_POINT)));
    }

    private Tensor one(Tensor ranges) {
        return ranges.numel() == 1 ? ranges : Ops.narrow(ranges, 0, range, 1);
    }
}
