package dev.retort.quantize;

import dev.retort.card.NetworkSpec;
import dev.retort.card.QuantizationSpec;
import dev.retort.pipeline.Architecture;
import dev.retort.pipeline.Architectures;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.Collection;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * SmoothQuant (Xiao et al. 2022): inputs of large range are divided, and the weights that they meet multiplied, channel by channel,
 * by s = max|x|^α / max|w|^(1-α), here divided by the factors' geometric mean. What comes before the layer takes the division into its own
 * weights, so that the network computes the same.
 */
final class SmoothQuant {
    private static final double LEAST = 1e-5;

    private SmoothQuant() {}

    /**
     * Changes weights.
     *
     * @param weights of the network, in fp32; changed in place
     * @param inputs of its layers
     * @param layers those to smooth, as far as the architecture can
     */
    static void apply(
            NetworkSpec spec,
            Map<String, Tensor> weights,
            Map<String, LayerInputs> inputs,
            Collection<String> layers,
            double alpha) {
        Architecture<NetworkSpec> architecture = Architectures.of(spec);
        for (String layer : architecture.dividable(spec)) {
            if (!layers.contains(layer)) {
                continue;
            }
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                Tensor weight = weights.get(layer + QuantizationSpec.WEIGHT); // (out, in)
                float[] s = factors(inputs.get(layer).largest(), Tensors.floats(weight), alpha);
                Tensor factors = Tensors.of(s, Device.CPU, s.length);
                architecture.divideInputs(spec, weights, layer, factors);
                weight.copy_(Ops.mul(weight, factors));
            }
        }
    }

    /**
     * One for each input.
     *
     * @param largest magnitude of each input
     * @param weights (out, in)
     */
    static float[] factors(float[] largest, float[] weights, double alpha) {
        int in = largest.length;
        float[] columns = new float[in];
        for (int i = 0; i < weights.length; i++) {
            columns[i % in] = Math.max(columns[i % in], Math.abs(weights[i]));
        }
        double[] logs = new double[in];
        double mean = 0;
        for (int i = 0; i < in; i++) {
            logs[i] =
                    alpha * Math.log(Math.max(LEAST, largest[i])) - (1 - alpha) * Math.log(Math.max(LEAST, columns[i]));
            mean += logs[i] / in;
        }
        float[] factors = new float[in];
        for (int i = 0; i < in; i++) {
            factors[i] = (float) Math.exp(logs[i] - mean);
        }
        return factors;
    }
}
