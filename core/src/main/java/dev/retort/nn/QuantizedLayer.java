package dev.retort.nn;

import dev.retort.card.QuantizationSpec;
import dev.retort.torch.Dtype;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * A layer's product in whole numbers, as {@link QuantizationSpec} has it.
 *
 * @param weight (out, …), I8
 * @param weightScale (out), fp32
 * @param inputScale of each time, fp32; null where each row of inputs is rounded by itself
 * @param inputZeroPoint of each time, whole numbers in fp32; null likewise
 * @param times of the network's calls, in its units; empty where there is one range for all
 */
public record QuantizedLayer(
        Tensor weight, Tensor weightScale, Tensor inputScale, Tensor inputZeroPoint, List<Double> times) {
    /**
     * From where a network's weights come.
     *
     * @param layer its path
     * @param weight (out, …), I8, as it came from there
     */
    static QuantizedLayer of(WeightSource weights, String layer, Tensor weight, QuantizationSpec spec) {
        boolean ranges = spec.activations() == QuantizationSpec.Activations.STATIC;
        return new QuantizedLayer(
                weight,
                weights.take(layer + QuantizationSpec.WEIGHT_SCALE, Dtype.F32),
                ranges ? weights.take(layer + QuantizationSpec.INPUT_SCALE, Dtype.F32) : null,
                ranges ? weights.take(layer + QuantizationSpec.INPUT_ZERO_POINT, Dtype.F32) : null,
                spec.times());
    }
}
