package dev.retort.quantize;

import dev.retort.card.QuantizationSpec;
import dev.retort.config.Require;
import java.util.Map;

/**
 * How weights are rounded.
 *
 * @param bits 8 or 4
 * @param group inputs that share a scale, even; 0 for all of an output channel
 * @param clip the least share of a row's largest weight that the search for its scale tries; 1 to search none
 * @param others type of all values that are not quantised: {@code fp32}, {@code fp16}, {@code bf16}
 */
public record WeightsConfig(int bits, int group, double clip, Others others) {
    /** Floating-point types of files. */
    public enum Others {
        FP32,
        FP16,
        BF16
    }

    /** Validates. */
    public WeightsConfig {
        QuantizationSpec.requireBits("bits", bits);
        Require.that(group >= 0 && group % 2 == 0, "group", group, "0 for none, or an even number of inputs");
        Require.between("clip", clip, 0.1, 1);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        return Map.of("bits", 8, "group", 0, "clip", 0.7, "others", Others.FP16);
    }
}
