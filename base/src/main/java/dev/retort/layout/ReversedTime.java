package dev.retort.layout;

import dev.retort.card.DitSpec;
import dev.retort.io.TensorFile;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Rewrites the weights of a flow whose time runs from noise (0) to data (1) so that the same network is asked with time
 * from data (0) to noise (1) and answers noise - data. cos((1-t)f) and sin((1-t)f) are linear in cos(tf) and sin(tf), so
 * the first layer of the time embedder takes the turn; the answer's sign goes into the rows of the last layer.
 */
final class ReversedTime {
    private ReversedTime() {}

    /** The parameters that are rewritten, of those of a network; their file must be open when they are asked for. */
    static Map<String, Supplier<float[]>> of(DitSpec spec, TensorFile weights) {
        String time = "t_embedder.mlp.0.weight";
        String last = "final_layer.linear.weight";
        String bias = "final_layer.linear.bias";
        return Map.of(
                time, () -> turned(weights.floats(time), spec),
                last, () -> signed(weights.floats(last), spec.hidden(), spec),
                bias, () -> signed(weights.floats(bias), 1, spec));
    }

    /** W_c·cos((1-t)f) + W_s·sin((1-t)f) = (W_c cos f + W_s sin f)·cos(tf) + (W_c sin f - W_s cos f)·sin(tf). */
    private static float[] turned(float[] weight, DitSpec spec) {
        int half = DitSpec.TIME_FEATURES / 2;
        float[] turned = new float[weight.length];
        for (int k = 0; k < half; k++) {
            double f = Math.exp(-Math.log(10000) * k / (half - spec.convention().frequencyShift()));
            float cos = (float) Math.cos(f);
            float sin = (float) Math.sin(f);
            for (int row = 0; row < weight.length; row += 2 * half) {
                float c = weight[row + k];
                float s = weight[row + half + k];
                turned[row + k] = c * cos + s * sin;
                turned[row + half + k] = c * sin - s * cos;
            }
        }
        return turned;
    }

    /** Negative in the rows that make the velocity, not in those of further channels; channels run fastest inside a token. */
    private static float[] signed(float[] weight, int width, DitSpec spec) {
        float[] signed = weight.clone();
        for (int i = 0; i < signed.length; i++) {
            signed[i] = i / width % spec.outChannels() < spec.channels() ? -weight[i] : weight[i];
        }
        return signed;
    }
}
