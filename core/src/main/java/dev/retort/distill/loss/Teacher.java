package dev.retort.distill.loss;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.model.Condition;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Network;
import dev.retort.nn.Taps;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.train.NoisyBatch;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * The frozen teacher: asked once per batch with the student's own noise, times and dropped conditions (or, at another size, with
 * those of the batch's twin), whatever the number of loss terms that want to know.
 */
public final class Teacher implements AutoCloseable {
    private final Network network;
    private final ModelCard card;
    private final String hash;
    private final double guidanceScale;
    private final Precision precision;
    private final Set<String> wanted = new LinkedHashSet<>();
    private NoisyBatch seen;
    private Answer answer;

    /** What the teacher says of a batch: output (N, C', H, W) fp32 and taps, without graph. */
    public record Answer(Tensor output, Map<String, Tensor> taps) {}

    /**
     * @param network frozen here; closed with this
     * @param hash SHA-256 of its weights' file
     * @param guidanceScale classifier-free guidance of its output, standard form; 1 for none
     */
    public Teacher(Network network, ModelCard card, String hash, double guidanceScale, Precision precision) {
        requireGuidable(network.spec(), guidanceScale);
        this.network = network;
        this.card = card;
        this.hash = hash;
        this.guidanceScale = guidanceScale;
        this.precision = precision;
        network.freeze();
    }

    /** Refuses, as an IllegalArgumentException, guidance of a network that was never asked without a class. */
    public static void requireGuidable(NetworkSpec network, double guidanceScale) {
        if (guidanceScale != 1 && !network.hasNullClass()) {
            throw new IllegalArgumentException("teacher.guidance is " + guidanceScale
                    + ", expected 1: this teacher was trained without label dropout");
        }
    }

    /** Its network. */
    public Network network() {
        return network;
    }

    /** How it may be used. */
    public ModelCard card() {
        return card;
    }

    /** SHA-256 of its weights' file. */
    public String hash() {
        return hash;
    }

    /** Asks for a tap in every later answer. */
    void want(String tap) {
        wanted.add(tap);
    }

    /** Its answer for a batch; the tensors live in the scope of the first question about that batch. */
    Answer answer(NoisyBatch batch) {
        if (batch != seen) {
            answer = ask(view(batch));
            seen = batch;
        }
        return answer;
    }

    /** What it sees of a batch: the images at its own size. */
    static NoisyBatch view(NoisyBatch batch) {
        return batch.twin() == null ? batch : batch.twin();
    }

    private Answer ask(NoisyBatch batch) {
        Device device = network.device();
        Taps taps = Taps.of(wanted);
        try (NoGrad off = NoGrad.on();
                Autocast autocast = Autocast.to(precision, device)) {
            Tensor output;
            if (guidanceScale == 1) {
                output = network.forward(batch.noisy(), batch.time(), batch.condition(), taps);
            } else {
                Condition none = new LabelConditioner(network.spec().condition()).none(batch.count(), device);
                Tensor both = network.forward(
                        Ops.cat(0, batch.noisy(), batch.noisy()),
                        Ops.cat(0, batch.time(), batch.time()),
                        Condition.join(batch.condition(), none),
                        taps);
                output = guided(both, batch.clean().size(1));
            }
            Map<String, Tensor> features = new LinkedHashMap<>();
            for (String name : wanted) {
                features.put(name, taps.get(name).narrow(0, 0, batch.count()));
            }
            return new Answer(output, features);
        }
    }

    private Tensor guided(Tensor both, long predicted) {
        Tensor[] half = Ops.chunk(both, 2, 0);
        Tensor c = half[0].narrow(1, 0, predicted);
        Tensor u = half[1].narrow(1, 0, predicted);
        Tensor g = Ops.addScaled(u, c.sub(u), guidanceScale);
        long all = both.size(1);
        return all == predicted ? g : Ops.cat(1, g, half[0].narrow(1, predicted, all - predicted));
    }

    @Override
    public void close() {
        network.close();
    }
}
