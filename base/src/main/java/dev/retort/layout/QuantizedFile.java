package dev.retort.layout;

import dev.retort.card.QuantizationSpec;
import dev.retort.card.QuantizationSpec.Activations;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.Dtype;
import dev.retort.io.TensorEntry;
import dev.retort.io.TensorFile;
import java.util.LinkedHashMap;
import java.util.Map;

/** Which tensors a file of quantised weights has, by what its card says. */
public final class QuantizedFile {
    private QuantizedFile() {}

    /**
     * Refuses, as {@link Fit#require} does, a file whose tensors are not those of a network.
     *
     * @param parameters the network's, with weights of floats
     * @param spec how they are quantised; null where they are not
     */
    public static void fit(Map<String, long[]> parameters, TensorFile file, QuantizationSpec spec) {
        Fit.of(spec == null ? parameters : stored(parameters, spec), file.entries())
                .require(file.path());
        if (spec != null) {
            spec.layers().forEach(layer -> requireWhole(file, layer, spec));
        }
    }

    /** Names and shapes of the tensors that a file has for a network's. */
    public static Map<String, long[]> stored(Map<String, long[]> parameters, QuantizationSpec spec) {
        Map<String, long[]> stored = new LinkedHashMap<>();
        parameters.forEach((name, shape) -> {
            if (!spec.quantizes(name)) {
                stored.put(name, shape);
                return;
            }
            String layer = name.substring(0, name.length() - QuantizationSpec.WEIGHT.length());
            long[] kept = shape.clone();
            if (spec.weightBits() == 4) {
                kept[kept.length - 1] /= 2;
            }
            stored.put(name, kept);
            stored.put(
                    layer + QuantizationSpec.WEIGHT_SCALE,
                    spec.group() == 0 ? new long[] {shape[0]} : new long[] {shape[0], inputs(shape) / spec.group()});
            if (spec.activations() == Activations.STATIC) {
                long[] ranges = {Math.max(1, spec.times().size())};
                stored.put(layer + QuantizationSpec.INPUT_SCALE, ranges);
                stored.put(layer + QuantizationSpec.INPUT_ZERO_POINT, ranges);
            }
        });
        return stored;
    }

    private static long inputs(long[] shape) {
        long inputs = 1;
        for (int i = 1; i < shape.length; i++) {
            inputs *= shape[i];
        }
        return inputs;
    }

    private static void requireWhole(TensorFile file, String layer, QuantizationSpec spec) {
        String name = layer + QuantizationSpec.WEIGHT;
        Dtype expected = spec.weightBits() == 4 ? Dtype.U8 : Dtype.I8;
        TensorEntry entry = file.entry(name); // a layer that the network lacks is missing here
        if (entry.type() != expected) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    file.path() + " has " + entry + ", where its card says " + spec.weightBits() + "-bit weights, "
                            + expected + "; quantise the model again");
        }
    }
}
