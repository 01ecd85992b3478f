package dev.retort.export;

import dev.retort.io.Dtype;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import java.util.List;
import java.util.Map;

/** In which precision an exported file computes, and what its 8-bit weights ask of a CPU. */
final class Quantization {
    /** Two products of an unsigned byte and a weight up to this never saturate 16 bits, where a CPU adds them up in these. */
    private static final int SEVEN_BITS = 64;

    private Quantization() {}

    /** {@code retort.precision} and, of whole numbers, {@code retort.isa}. */
    static Map<String, String> of(TensorFile weights, Dtype matrices) {
        List<TensorEntry> bytes = weights.entries().values().stream()
                .filter(entry -> entry.dtype() == Dtype.I8)
                .toList();
        if (bytes.isEmpty()) {
            return Map.of("retort.precision", matrices == Dtype.F16 ? "fp16" : "fp32");
        }
        boolean saturates = bytes.stream().anyMatch(entry -> exceedsSevenBits(weights, entry));
        return Map.of(
                "retort.precision", hasRanges(weights) ? "int8-static" : "int8-dynamic", "retort.isa", saturates ? "vnni" : "any");
    }

    /** Whether activations have calibrated ranges. */
    static boolean hasRanges(TensorFile weights) {
        return weights.entries().keySet().stream().anyMatch(name -> name.endsWith(".input_scale"));
    }

    private static boolean exceedsSevenBits(TensorFile weights, TensorEntry entry) {
        for (float value : weights.floats(entry.name())) {
            if (Math.abs(value) > SEVEN_BITS) {
                return true;
            }
        }
        return false;
    }
}
