package dev.retort.quantize;

import dev.retort.card.QuantizationSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.SafetensorsWriter;
import dev.retort.model.Weights;
import dev.retort.nn.Affine;
import dev.retort.nn.AskedTime;
import dev.retort.nn.FakeQuant;
import dev.retort.nn.Kernel;
import dev.retort.nn.Layer;
import dev.retort.nn.Watched;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Layers that compute in training as they will once they are quantised ({@link FakeQuant}).
 *
 * @param spec how they are rounded
 * @param clip the least share of a row's largest weight that the search for its first scale tries; 1 to search none
 * @param asks asks the network as a sampler does, so that the first ranges of inputs can be measured
 */
public record FakeQuantization(QuantizationSpec spec, double clip, Runnable asks) {
    /**
     * Paths of the products of a network that are not kept.
     *
     * @param keep names, or patterns with {@code *}; these may mean none
     * @throws RetortException of kind CONFIG, beginning with {@code keep}, where a name is that of no product, or none is left
     */
    public static List<String> layers(Layer network, List<String> keep) {
        return new KeptLayers(
                        keep,
                        network.layers().entrySet().stream()
                                .filter(entry -> entry.getValue() instanceof Affine)
                                .map(Map.Entry::getKey)
                                .toList())
                .others();
    }

    /** Attaches with scales of 1, for values that are restored next. */
    public void attach(Layer network) {
        try (Scope scope = Scope.open()) {
            int count = Math.max(1, spec.times().size());
            affines(network)
                    .forEach((path, layer) -> layer.quantize(new FakeQuant(
                            spec,
                            Tensors.full(
                                    1, Device.of(layer.weight()), layer.weight().size(0)),
                            Tensors.full(1, Device.of(layer.weight()), count),
                            Tensors.zeros(Device.of(layer.weight()), count))));
        }
    }

    /** Attaches with scales as a quantised network would have them, measured on the network as it is. */
    public void attachMeasured(Layer network) {
        Map<String, Affine> layers = affines(network);
        Map<String, LayerInputs> seen = new LinkedHashMap<>();
        layers.forEach((path, layer) -> {
            LayerInputs inputs = new LayerInputs();
            seen.put(path, inputs);
            layer.use(new Watched(
                    Kernel.PLAIN,
                    rows -> inputs.add(range(path), Tensors.floats(rows), Math.toIntExact(rows.size(-1)))));
        });
        try {
            asks.run();
        } finally {
            layers.values().forEach(layer -> layer.use(Kernel.PLAIN));
        }
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            layers.forEach((path, layer) -> layer.quantize(measured(layer, seen.get(path))));
        }
    }

    /** The time whose range holds where the network is asked now. */
    private double range(String path) {
        double time = AskedTime.one();
        if (!spec.times().isEmpty() && Double.isNaN(time)) {
            throw new RetortException(
                    Kind.CONFIG,
                    "keep does not name " + path + ", which is asked once for all steps and so has no range for each;"
                            + " put it there");
        }
        return spec.times().isEmpty() ? 0 : spec.times().get(spec.range(time));
    }

    private FakeQuant measured(Affine layer, LayerInputs inputs) {
        Device device = Device.of(layer.weight());
        float[] weights = Tensors.floats(layer.weight());
        int out = Math.toIntExact(layer.weight().size(0));
        int in = weights.length / out;
        float[] scales = new float[out];
        byte[] whole = new byte[weights.length];
        RowRounding rounding = new RowRounding(spec.largest(), clip);
        float[] squares = inputs.meanSquares();
        for (int row = 0; row < out; row++) {
            scales[row] = rounding.round(weights, row * in, in, squares, 0, whole);
        }
        List<InputRange> ranges = inputs.ranges(Integer.MAX_VALUE, Candidate.squaredNorms(weights, in));
        int count = Math.max(1, spec.times().size());
        float[] inputScales = new float[count];
        float[] zeros = new float[count];
        for (int i = 0; i < count; i++) {
            InputRange range = ranges.get(
                    count == 1 ? 0 : inputs.times().indexOf(spec.times().get(i)));
            inputScales[i] = range.scale();
            zeros[i] = range.zeroPoint();
        }
        return new FakeQuant(
                spec,
                Tensors.of(scales, device, out),
                Tensors.of(inputScales, device, count),
                Tensors.of(zeros, device, count));
    }

    private Map<String, Affine> affines(Layer network) {
        Map<String, Layer> all = network.layers();
        Map<String, Affine> chosen = new LinkedHashMap<>();
        spec.layers().forEach(path -> chosen.put(path, (Affine) all.get(path)));
        return chosen;
    }

    /** Whether some of these tensors are scales of layers that compute so. */
    public static boolean isIn(Map<String, Tensor> weights) {
        return weights.keySet().stream().anyMatch(FakeQuant::owns);
    }

    /**
     * A writer of a quantised model's weights.
     *
     * @param weights of a network in which these layers compute so; they must live until it has written, and the open scope too
     */
    public SafetensorsWriter writer(Map<String, Tensor> weights) {
        Map<String, Tensor> stored = new LinkedHashMap<>(weights);
        try (NoGrad off = NoGrad.on()) {
            spec.layers().forEach(layer -> FakeQuant.freeze(stored, layer, spec));
        }
        return Weights.writer(stored, spec, Dtype.F32);
    }
}
