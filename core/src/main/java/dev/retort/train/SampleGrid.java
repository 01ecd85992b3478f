package dev.retort.train;

import dev.retort.card.ImageShape;
import dev.retort.card.ModelCard;
import dev.retort.data.Batch;
import dev.retort.data.ImageSource;
import dev.retort.io.ImageGrid;
import dev.retort.io.PixelImage;
import dev.retort.model.Network;
import dev.retort.pipeline.ImageCodec;
import dev.retort.sample.Sampling;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/** Samples of a run, a row for each class or example text: one network and one decoder for all grids of the run, whose weights are exchanged. */
final class SampleGrid implements Preview {
    private static final int MOST_ROWS = 10;
    private static final int REAL = 100;
    private static final int REAL_LATENTS = 32; // a picture each is decoded

    private final Network network;
    private final ModelCard card;
    private final ImageCodec codec;
    private final ImageSource source;
    private final Precision precision;
    private final int samplesPerClass;
    private PictureStatistics real;

    /**
     * @param network whose weights are overwritten
     * @param codec from its samples to pictures
     * @param source what the samples should be like
     */
    SampleGrid(
            Network network,
            ModelCard card,
            ImageCodec codec,
            ImageSource source,
            Precision precision,
            int samplesPerClass) {
        this.network = network;
        this.card = card;
        this.codec = codec;
        this.source = source;
        this.precision = precision;
        this.samplesPerClass = samplesPerClass;
    }

    @Override
    public Look at(Map<String, Tensor> weights) {
        List<String> problems = network.load(weights);
        if (!problems.isEmpty()) {
            throw new IllegalStateException("the weights do not fit the network of the card: " + problems.get(0));
        }
        int rows = Math.max(
                1,
                Math.min(
                        MOST_ROWS,
                        card.text() == null
                                ? card.labels().size()
                                : card.subjects().size()));
        try (Scope scope = Scope.open()) {
            ImageGrid grid = Sampling.classGrid(network, card, codec, precision, rows, samplesPerClass);
            int count = rows * samplesPerClass;
            PictureStatistics made = PictureStatistics.of(
                    IntStream.range(0, count).mapToObj(grid::picture).toList(),
                    IntStream.range(0, count).map(i -> i / samplesPerClass).toArray());
            return new Look(grid, made, real());
        }
    }

    private PictureStatistics real() {
        if (real == null) {
            Batch batch = Batch.drawn(source, source.autoencoder().isPresent() ? REAL_LATENTS : REAL, 0);
            ImageShape shape = codec.shape();
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on()) {
                float[] values =
                        Tensors.floats(codec.decode(NoisyBatch.clean(batch, 0, batch.count(), network.device())));
                real = PictureStatistics.of(
                        IntStream.range(0, batch.count())
                                .mapToObj(i -> PixelImage.of(
                                        values, i * shape.values(), shape.channels(), shape.height(), shape.width()))
                                .toList(),
                        batch.prompts().labels());
            }
        }
        return real;
    }
}
