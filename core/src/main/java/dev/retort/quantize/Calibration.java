package dev.retort.quantize;

import dev.retort.card.ModelCard;
import dev.retort.model.Denoiser;
import dev.retort.nn.AskedTime;
import dev.retort.nn.Kernel;
import dev.retort.nn.Watched;
import dev.retort.nn.WeightSource;
import dev.retort.pipeline.Architectures;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;

/** Watches the inputs of every product of a network while it is asked as a sampler asks it, with guidance where its card says so. */
final class Calibration implements WeightSource {
    private final WeightSource weights;
    private final Map<String, LayerInputs> seen = new TreeMap<>();

    private Calibration(WeightSource weights) {
        this.weights = weights;
    }

    /** What the layers are given, by their paths: of those products whose kernels can be exchanged. */
    static Map<String, LayerInputs> of(WeightSource weights, ModelCard card, List<States> all) {
        Calibration calibration = new Calibration(weights);
        try (Denoiser network =
                Architectures.of(card.network()).pack(card.network(), calibration, Device.CPU, Precision.FP32)) {
            for (States states : all) {
                Sampling.sampler(network, card, states.way(), Precision.FP32)
                        .answers(states.prompts(), states.inputs(), (answer, step) -> {});
            }
        }
        return calibration.seen;
    }

    @Override
    public Tensor take(String name, Dtype dtype) {
        return weights.take(name, dtype);
    }

    @Override
    public Kernel around(String layer, Kernel kernel) {
        LayerInputs inputs = new LayerInputs();
        seen.put(layer, inputs);
        return new Watched(
                kernel, rows -> inputs.add(AskedTime.one(), Tensors.floats(rows), Math.toIntExact(rows.size(-1))));
    }
}
