package dev.retort.model.dit;

import dev.retort.card.DitSpec;
import dev.retort.model.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * Rewrites the weights of a flow whose time runs from noise (0) to data (1) so that the same network is asked with time
 * from data (0) to noise (1) and answers noise - data. cos((1-t)f) and sin((1-t)f) are linear in cos(tf) and sin(tf), so
 * the first layer of the time embedder takes the turn; the answer's sign goes into the rows of the last layer.
 */
final class ReversedTime {
    private final DitSpec spec;
    private final WeightSource weights;

    private ReversedTime(DitSpec spec, WeightSource weights) {
        this.spec = spec;
        this.weights = weights;
    }

    /** The same parameters, rewritten as they are asked for. */
    static WeightSource of(DitSpec spec, WeightSource weights) {
        return new ReversedTime(spec, weights)::weight;
    }

    private Tensor weight(String name, Dtype dtype) {
        return switch (name) {
            case "t_embedder.mlp.0.weight" -> turned(weights.take(name, Dtype.F32));
            case "final_layer.linear.weight", "final_layer.linear.bias" -> {
                Tensor weight = weights.take(name, Dtype.F32);
                yield Ops.mul(weight, signs(weight));
            }
            default -> weights.take(name, dtype);
        };
    }

    /** W_c·cos((1-t)f) + W_s·sin((1-t)f) = (W_c cos f + W_s sin f)·cos(tf) + (W_c sin f - W_s cos f)·sin(tf). */
    private Tensor turned(Tensor weight) {
        int half = DitSpec.TIME_FEATURES / 2;
        double[] cos = new double[half];
        double[] sin = new double[half];
        for (int k = 0; k < half; k++) {
            double f = Math.exp(-Math.log(10000) * k / (half - spec.convention().frequencyShift()));
            cos[k] = Math.cos(f);
            sin[k] = Math.sin(f);
        }
        Device device = Device.of(weight);
        Tensor c = Tensors.of(cos, device);
        Tensor s = Tensors.of(sin, device);
        Tensor[] w = Ops.chunk(weight, 2, -1); // (D, 128) twice
        return Ops.cat(-1, Ops.add(Ops.mul(w[0], c), Ops.mul(w[1], s)), Ops.sub(Ops.mul(w[0], s), Ops.mul(w[1], c)));
    }

    /** -1 for the rows that make the velocity, 1 for those of further channels; channels run fastest inside a token. */
    private Tensor signs(Tensor weight) {
        long rows = weight.size(0);
        float[] signs = new float[(int) rows];
        for (int i = 0; i < rows; i++) {
            signs[i] = i % spec.outChannels() < spec.channels() ? -1 : 1;
        }
        Tensor column = Tensors.of(signs, Device.of(weight), rows);
        return weight.dim() == 1 ? column : Ops.unsqueeze(column, 1);
    }
}
