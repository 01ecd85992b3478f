package dev.retort.train;

import dev.retort.card.ModelCard;
import dev.retort.io.ImageGrid;
import dev.retort.model.Network;
import dev.retort.pipeline.ImageCodec;
import dev.retort.sample.Sampling;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Samples of a run, a row per class: one network and one decoder for all grids of the run, whose weights are exchanged. */
final class SampleGrid implements Preview, AutoCloseable {
    private static final int MOST_CLASSES = 10;
    private final Network network;
    private final ModelCard card;
    private final ImageCodec codec;
    private final Precision precision;
    private final int samplesPerClass;

    /**
     * @param network whose weights are overwritten; closed with this
     * @param codec from its samples to pictures; closed with this
     */
    SampleGrid(Network network, ModelCard card, ImageCodec codec, Precision precision, int samplesPerClass) {
        this.network = network;
        this.card = card;
        this.codec = codec;
        this.precision = precision;
        this.samplesPerClass = samplesPerClass;
        network.freeze();
    }

    @Override
    public ImageGrid sample(Map<String, Tensor> weights) {
        List<String> problems = network.load(weights);
        if (!problems.isEmpty()) {
            throw new IllegalStateException("the weights do not fit the network of the card: " + problems.get(0));
        }
        try (Scope scope = Scope.open()) {
            return Sampling.classGrid(
                    network,
                    card,
                    codec,
                    precision,
                    Math.min(MOST_CLASSES, card.classes().size()),
                    samplesPerClass);
        }
    }

    @Override
    public void close() {
        network.close();
        codec.close();
    }
}
