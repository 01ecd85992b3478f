package dev.retort.nn;

import dev.retort.card.QuantizationSpec;
import dev.retort.torch.Dtype;
import dev.retort.torch.FakeQuantize;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * The kernel for training what is to be quantised: the layer's own weight and its inputs are rounded as {@link Int8} has them and
 * multiplied in fp32, so that values equal that kernel's up to rounding. Gradients go straight through what is rounded to weights and
 * inputs, and to the scales (LSQ, Esser et al. 2020).
 *
 * <p>A scale is its first value, a buffer, times e to the power of a parameter that begins at zero: an optimiser such as Adam moves every
 * parameter by about its rate, which is little of a power and would be much of a scale of a thousandth. Zero points stay.
 * Tensors {@code weight_scale}, {@code input_scale}, {@code input_zero_point}, {@code weight_power}, {@code input_power}, under the layer's
 * own name and {@code fake_quant} once {@link Affine#quantize} has attached it.
 */
public final class FakeQuant extends Layer implements Kernel {
    static final String NAME = "fake_quant";
    private static final String WEIGHT_SCALE = "weight_scale";
    private static final String WEIGHT_POWER = "weight_power";
    private static final String INPUT_SCALE = "input_scale";
    private static final String INPUT_POWER = "input_power";
    private static final String INPUT_ZERO_POINT = "input_zero_point";

    private final QuantizationSpec spec;
    private final Tensor weightScale;
    private final Tensor weightPower;
    private final Tensor inputScale;
    private final Tensor inputPower;
    private final Tensor inputZeroPoint;
    private final InputRanges ranges;

    /**
     * With scales of its own, which begin as copies of those given.
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
            this.weightScale = buffer(WEIGHT_SCALE, Ops.copy(Ops.detach(weightScale)));
            weightPower = parameter(WEIGHT_POWER, zeros(weightScale));
            this.inputScale = measured ? buffer(INPUT_SCALE, Ops.copy(Ops.detach(inputScale))) : null;
            inputPower = measured ? parameter(INPUT_POWER, zeros(inputScale)) : null;
            this.inputZeroPoint = measured ? buffer(INPUT_ZERO_POINT, Ops.copy(Ops.detach(inputZeroPoint))) : null;
        }
    }

    private static Tensor zeros(Tensor like) {
        return Ops.mul(Ops.detach(like), 0);
    }

    /** Whether a tensor of this name, as {@link Layer#state} gives it, belongs to such a kernel. */
    public static boolean owns(String name) {
        return name.contains("." + NAME + ".");
    }

    /** The first scale of each output row (out), or (out, groups). */
    public Tensor weightScale() {
        return weightScale;
    }

    @Override
    public Tensor apply(Affine layer, Tensor x) {
        Tensor weight = FakeQuantize.weight(
                Ops.flatten(layer.weight(), 1, -1), scale(weightScale, weightPower), spec.largest());
        return layer.fromRows(
                Ops.linear(
                        rounded(Dtype.F32.cast(layer.rows(x))),
                        weight,
                        layer.bias().orElse(null)),
                x);
    }

    private static Tensor scale(Tensor first, Tensor power) {
        return Ops.mul(first, Ops.exp(power));
    }

    private Tensor rounded(Tensor rows) {
        return switch (spec.activations()) {
            case NONE -> rows;
            case DYNAMIC -> FakeQuantize.signed(rows);
            case STATIC -> {
                Tensor scales = scale(inputScale, inputPower);
                yield ranges.apply(
                        rows,
                        range -> part -> FakeQuantize.unsigned(
                                part, Ops.narrow(scales, 0, range, 1), Ops.narrow(inputZeroPoint, 0, range, 1)));
            }
        };
    }

    /**
     * Makes of weights in which a layer has such a kernel those that a file of {@link QuantizationSpec} has, in the caller's scope.
     *
     * @param weights by full names; changed
     * @param layer its path
     */
    public static void freeze(Map<String, Tensor> weights, String layer, QuantizationSpec spec) {
        String own = layer + "." + NAME + ".";
        Tensor scale = scale(weights.remove(own + WEIGHT_SCALE), weights.remove(own + WEIGHT_POWER));
        Tensor weight = weights.get(layer + QuantizationSpec.WEIGHT);
        Tensor whole = FakeQuantize.whole(Ops.flatten(weight, 1, -1), scale, spec.largest());
        weights.put(layer + QuantizationSpec.WEIGHT, Ops.view(whole, Tensors.shape(weight)));
        weights.put(layer + QuantizationSpec.WEIGHT_SCALE, scale);
        if (spec.activations() == QuantizationSpec.Activations.STATIC) {
            weights.put(
                    layer + QuantizationSpec.INPUT_SCALE,
                    scale(weights.remove(own + INPUT_SCALE), weights.remove(own + INPUT_POWER)));
            weights.put(layer + QuantizationSpec.INPUT_ZERO_POINT, weights.remove(own + INPUT_ZERO_POINT));
        }
    }
}
