package dev.retort.export;

import dev.retort.card.QuantizationSpec;
import dev.retort.io.Dtype;
import java.util.Map;

/** In which precision an exported file computes, and what its 8-bit weights ask of a CPU. */
final class Quantization {
    private Quantization() {}

    /**
     * {@code retort.precision} and, of whole numbers, {@code retort.isa}.
     *
     * @param spec how the model is quantised; null where it is not
     */
    static Map<String, String> of(QuantizationSpec spec, Dtype matrices) {
        if (spec == null) {
            return Map.of("retort.precision", matrices == Dtype.F16 ? "fp16" : "fp32");
        }
        return Map.of(
                "retort.precision",
                spec.activations() == QuantizationSpec.Activations.STATIC ? "int8-static" : "int8-dynamic",
                "retort.isa",
                spec.isa() == QuantizationSpec.Isa.VNNI ? "vnni" : "any");
    }
}
