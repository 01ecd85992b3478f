package dev.retort.nn;

import dev.retort.card.QuantizationSpec;
import dev.retort.torch.FakeQuantize;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import org.bytedeco.pytorch.Tensor;

/**
 * The kernel for training what is to be quantised: the layer's own weight and its inputs are rounded as {@link Int8} has them and
 * multiplied in fp32, so that values equal that kernel's up to rounding. Gradients go straight through what is rounded to weights and
 * inputs, and to the scales (LSQ), which are trained where a gradient of theirs is switched on.
 */
public final class FakeQuant implements Kernel {
    private final QuantizationSpec spec;
    private final Tensor weightScale;
    private final Tensor inputScale;
    private final Tensor inputZeroPoint;
    private final InputRanges ranges;

    /**
     * With scales of its own, copies of those given.
     *
     * @param spec how it is rounded; its times are those of the inputs' ranges
     * @param weightScale (out), or (out, groups)
     * @param inputScale of each time, or of all (1); null unless activations are {@link QuantizationSpec.Activations#STATIC}
     * @param inputZeroPoint likewise, whole numbers in fp32
     */
    public FakeQuant(QuantizationSpec spec, Tensor weightScale, Tensor inputScale, Tensor inputZeroPoint) {
        this.spec = spec;
        boolean measured = spec.activations() == QuantizationSpec.Activations.STATIC;
        ranges = measured ? new InputRanges(spec.times(), inputScale.numel()) : null;
        try (Scope scope = Scope.open()) {
            this.weightScale = scope.keep(Ops.copy(Ops.detach(weightScale)));
            this.inputScale = measured ? scope.keep(Ops.copy(Ops.detach(inputScale))) : null;
            this.inputZeroPoint = measured ? scope.keep(Ops.copy(Ops.detach(inputZeroPoint))) : null;
        }
    }

    /** The scale of each output row (out), or (out, groups). */
    public Tensor weightScale() {
        return weightScale;
    }

    /** The inputs' scale at each time; null unless their ranges are measured. */
    public Tensor inputScale() {
        return inputScale;
    }

    /** The inputs' zero point at each time; null unless their ranges are measured. */
    public Tensor inputZeroPoint() {
        return inputZeroPoint;
    }

    @Override
    public Tensor apply(Affine layer, Tensor x) {
        Tensor weight = FakeQuantize.weight(Ops.flatten(layer.weight(), 1, -1), weightScale, spec.largest());
        return layer.fromRows(
                Ops.linear(rounded(layer.rows(x)), weight, layer.bias().orElse(null)), x);
    }

    private Tensor rounded(Tensor rows) {
        return switch (spec.activations()) {
            case NONE -> rows;
            case DYNAMIC -> FakeQuantize.signed(rows);
            case STATIC ->
                ranges.apply(
                        rows,
                        range -> part -> FakeQuantize.unsigned(
                                part, Ops.narrow(inputScale, 0, range, 1), Ops.narrow(inputZeroPoint, 0, range, 1)));
        };
    }

    @Override
    public void close() {
        weightScale.close();
        if (inputScale != null) {
            inputScale.close();
            inputZeroPoint.close();
        }
    }
}
