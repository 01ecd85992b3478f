package dev.retort.quantize;

import dev.retort.card.ModelCard;
import dev.retort.data.Prompts;
import dev.retort.model.Denoiser;
import dev.retort.nn.WeightSource;
import dev.retort.pipeline.Architectures;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;

/** Measures how far networks of other weights are from one, by their guided outputs and by what they sample. */
public final class Sensitivity {
    private static final int SAMPLES = 8;
    private static final int STEPS = 8;

    private final ModelCard card;
    private final List<States> asked = new ArrayList<>();
    private final List<Map<Integer, float[]>> outputs = new ArrayList<>();
    private final List<float[]> samples = new ArrayList<>();

    /**
     * Asks the network that others are compared with.
     *
     * @param all states, of which some samples at some steps are taken, of every way to sample
     */
    public Sensitivity(ModelCard card, WeightSource weights, List<States> all) {
        this.card = card;
        for (States states : all) {
            if (states.first() == 0) {
                asked.add(some(states));
            }
        }
        try (Denoiser network = pack(weights)) {
            for (States states : asked) {
                Map<Integer, float[]> answers = new HashMap<>();
                answers(network, states, answers);
                outputs.add(answers);
                samples.add(sample(network, states));
            }
        }
    }

    /** The first samples, at steps spread over the way. */
    private static States some(States states) {
        int count = Math.min(SAMPLES, states.prompts().size());
        List<Integer> steps = List.copyOf(new TreeSet<>(states.inputs().keySet()));
        int shown = Math.min(STEPS, steps.size());
        Map<Integer, Tensor> inputs = new LinkedHashMap<>();
        for (int i = 0; i < shown; i++) {
            int step = steps.get(shown == 1 ? 0 : i * (steps.size() - 1) / (shown - 1));
            inputs.put(step, Ops.narrow(states.inputs().get(step), 0, 0, count));
        }
        Prompts prompts = states.prompts().slice(0, count);
        return new States(states.way(), prompts, states.seed(), states.first(), inputs);
    }

    private Denoiser pack(WeightSource weights) {
        return Architectures.of(card.network()).pack(card.network(), weights, Device.CPU, Precision.FP32);
    }

    private void answers(Denoiser network, States states, Map<Integer, float[]> into) {
        Sampling.sampler(network, card, states.way(), Precision.FP32)
                .answers(states.prompts(), states.inputs(), (answer, step) -> into.put(step, Tensors.floats(answer)));
    }

    private float[] sample(Denoiser network, States states) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            return Tensors.floats(Sampling.sampler(network, card, states.way(), Precision.FP32)
                    .sample(states.prompts(), states.seed(), states.indices()));
        }
    }

    /** How far the output of a network of other weights is, relative to the output, over all samples and steps. */
    public double output(WeightSource weights) {
        try (Denoiser network = pack(weights)) {
            return output(network);
        }
    }

    private double output(Denoiser network) {
        Distance distance = new Distance();
        for (int i = 0; i < asked.size(); i++) {
            Map<Integer, float[]> answers = new HashMap<>();
            answers(network, asked.get(i), answers);
            Map<Integer, float[]> expected = outputs.get(i);
            answers.forEach((step, answer) -> distance.add(answer, expected.get(step)));
        }
        return distance.relative();
    }

    /** The same, and how far what it samples is. */
    Errors errors(WeightSource weights) {
        try (Denoiser network = pack(weights)) {
            Distance distance = new Distance();
            for (int i = 0; i < asked.size(); i++) {
                distance.add(sample(network, asked.get(i)), samples.get(i));
            }
            return new Errors(output(network), distance.relative());
        }
    }

    private static final class Distance {
        private double difference;
        private double norm;

        void add(float[] found, float[] expected) {
            for (int i = 0; i < found.length; i++) {
                double d = (double) found[i] - expected[i];
                difference += d * d;
                norm += (double) expected[i] * expected[i];
            }
        }

        double relative() {
            return Math.sqrt(difference / norm);
        }
    }
}
