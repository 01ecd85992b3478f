package dev.retort.quantize;

import dev.retort.card.QuantizationSpec;
import dev.retort.card.QuantizationSpec.Activations;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.QuantizedSource;
import dev.retort.nn.WeightSource;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Nibbles;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Weights both ways, as floats and rounded, of which any layers can be taken rounded. Its tensors belong to the scope it was made in. */
final class Candidate {
    private final QuantizeRecipe recipe;
    private final Map<String, Tensor> floats;
    private final Map<String, LayerInputs> inputs;
    private final List<Double> times;
    private final Map<String, Tensor> rounded = new LinkedHashMap<>();

    /**
     * Rounds.
     *
     * @param floats weights by name
     * @param inputs of all layers
     * @param layers those to round
     */
    Candidate(
            QuantizeRecipe recipe,
            Map<String, Tensor> floats,
            Map<String, LayerInputs> inputs,
            Collection<String> layers) {
        this.recipe = recipe;
        this.floats = floats;
        this.inputs = inputs;
        times = recipe.activations() instanceof ActivationsConfig.Static measured && measured.ranges() > 1
                ? times(inputs.values())
                : List.of();
        layers.forEach(this::round);
    }

    /** Those at which layers are asked; layers that are asked once for all steps know none. */
    private static List<Double> times(Collection<LayerInputs> all) {
        return all.stream()
                .map(LayerInputs::times)
                .filter(met -> met.stream().noneMatch(time -> time.isNaN()))
                .max((a, b) -> Integer.compare(a.size(), b.size()))
                .filter(met -> met.size() > 1)
                .orElse(List.of());
    }

    private void round(String layer) {
        Tensor weight = floats.get(layer + QuantizationSpec.WEIGHT);
        long[] shape = Tensors.shape(weight);
        int in = Math.toIntExact(weight.numel() / shape[0]);
        int group = recipe.weights().group() == 0 ? in : recipe.weights().group();
        requireDivides(layer, in, group);
        float[] values = Tensors.floats(weight);
        byte[] whole = new byte[values.length];
        float[] scales = new float[values.length / group];
        RowRounding rounding = new RowRounding(largest(), recipe.weights().clip());
        float[] squares = inputs.get(layer).meanSquares();
        for (int i = 0; i < scales.length; i++) {
            scales[i] = rounding.round(values, i * group, group, squares, i * group % in, whole);
        }
        Tensor q = Tensors.of(ByteBuffer.wrap(whole), Dtype.I8, Device.CPU, shape);
        rounded.put(layer + QuantizationSpec.WEIGHT, recipe.weights().bits() == 4 ? Nibbles.pack(q) : q);
        rounded.put(
                layer + QuantizationSpec.WEIGHT_SCALE,
                recipe.weights().group() == 0
                        ? Tensors.of(scales, Device.CPU, scales.length)
                        : Tensors.of(scales, Device.CPU, shape[0], scales.length / shape[0]));
        if (recipe.activations() instanceof ActivationsConfig.Static measured) {
            range(layer, measured, squaredNorms(values, in));
        }
    }

    /** Of each column of a weight (out, in). */
    static float[] squaredNorms(float[] weights, int in) {
        float[] norms = new float[in];
        for (int i = 0; i < weights.length; i++) {
            norms[i % in] += weights[i] * weights[i];
        }
        return norms;
    }

    private void range(String layer, ActivationsConfig.Static measured, float[] heed) {
        List<InputRange> ranges = inputs.get(layer).ranges(measured.ranges(), heed);
        int count = Math.max(1, times.size());
        float[] scales = new float[count];
        float[] zeros = new float[count];
        for (int i = 0; i < count; i++) {
            InputRange range = ranges.get(ranges.size() == count ? i : 0);
            scales[i] = range.scale();
            zeros[i] = range.zeroPoint();
        }
        rounded.put(layer + QuantizationSpec.INPUT_SCALE, Tensors.of(scales, Device.CPU, count));
        rounded.put(layer + QuantizationSpec.INPUT_ZERO_POINT, Tensors.of(zeros, Device.CPU, count));
    }

    private void requireDivides(String layer, int in, int group) {
        if (in % group != 0) {
            throw new RetortException(
                    Kind.CONFIG,
                    "weights.group is " + group + ", which does not divide the " + in + " inputs of " + layer
                            + "; choose a divisor such as " + divisor(in, group) + ", or put the layer under keep");
        }
        if (recipe.weights().bits() == 4 && in % 2 != 0) {
            throw new RetortException(
                    Kind.CONFIG,
                    "weights.bits is 4, and " + layer + " has " + in
                            + " inputs, which are not even; put the layer under keep");
        }
    }

    /** The largest even divisor that is no larger. */
    private static int divisor(int in, int group) {
        for (int d = Math.min(in, group); d > 1; d--) {
            if (d % 2 == 0 && in % d == 0) {
                return d;
            }
        }
        return 0;
    }

    private int largest() {
        return QuantizationSpec.largest(recipe.weights().bits(), activations(), recipe.target());
    }

    private Activations activations() {
        return recipe.activations().activations();
    }

    /** How the model is quantised of which these layers are. */
    QuantizationSpec spec(Collection<String> layers, Map<String, Double> errors) {
        return new QuantizationSpec(
                recipe.weights().bits(),
                recipe.weights().group(),
                activations(),
                recipe.target(),
                recipe.smooth(),
                times,
                List.copyOf(layers),
                errors);
    }

    /** The tensors of a file in which these layers are rounded. */
    Map<String, Tensor> tensors(QuantizationSpec spec) {
        Map<String, Tensor> tensors = new LinkedHashMap<>(floats);
        for (String layer : spec.layers()) {
            String weight = layer + QuantizationSpec.WEIGHT;
            tensors.put(weight, rounded.get(weight));
            spec.added(layer).forEach(name -> tensors.put(name, rounded.get(name)));
        }
        return tensors;
    }

    /** A network's weights of which these layers' are rounded; none for floats alone. */
    WeightSource source(Collection<String> layers) {
        if (layers.isEmpty()) {
            return source(floats);
        }
        QuantizationSpec spec = spec(layers, Map.of());
        return new QuantizedSource(source(tensors(spec)), spec);
    }

    /** Copies, since whoever takes one may change it. */
    static WeightSource source(Map<String, Tensor> tensors) {
        return (name, dtype) -> Ops.copy(Ops.detach(tensors.get(name)));
    }
}
