package dev.retort.evaluate;

import dev.retort.card.ClassifierShape;
import dev.retort.error.RetortException;
import dev.retort.model.classifier.Classifier;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * Pooled features and logits of a classifier, in evaluation mode and fp32 whatever surrounds the call.
 *
 * @param network the classifier; whoever loaded it closes it
 * @param space what its features are
 */
public record ClassifierExtractor(Classifier network, FeatureSpace space) implements FeatureExtractor {
    @Override
    public Extraction extract(PixelBatch batch) {
        Extraction extraction = extract(network, batch);
        for (float[] row : extraction.features()) {
            for (float value : row) {
                if (!Float.isFinite(value)) {
                    throw new RetortException(
                                    RetortException.Kind.CHECKPOINT,
                                    "the extractor " + space.extractor() + " gives the feature " + value
                                            + ", so its weights are damaged; train it again ('retort train-classifier'), or give"
                                            + " another")
                            .about("extractor");
                }
            }
        }
        return extraction;
    }

    /** What a network that has no name yet finds in a batch. */
    public static Extraction extract(Classifier network, PixelBatch batch) {
        requireSize(network.shape(), batch);
        Device device = network.device();
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Autocast plain = Autocast.to(Precision.FP32, device)) {
            Classifier.Output output = network.forward(unit(batch, device), false);
            return new Extraction(
                    rows(Tensors.floats(output.features()), batch.count()),
                    rows(Tensors.floats(output.logits()), batch.count()));
        }
    }

    /** Pixels in [0, 1], (N, C, H, W). */
    static Tensor unit(PixelBatch batch, Device device) {
        Tensor bytes = Tensors.of(
                ByteBuffer.wrap(batch.pixels()),
                Dtype.U8,
                device,
                batch.count(),
                batch.channels(),
                batch.height(),
                batch.width());
        return Ops.mul(Dtype.F32.cast(bytes), 1 / 255.0);
    }

    private static float[][] rows(float[] values, int count) {
        int width = values.length / count;
        float[][] rows = new float[count][];
        Arrays.setAll(rows, i -> Arrays.copyOfRange(values, i * width, (i + 1) * width));
        return rows;
    }

    private static void requireSize(ClassifierShape shape, PixelBatch images) {
        if (images.channels() != shape.channels()
                || images.height() != shape.height()
                || images.width() != shape.width()) {
            throw new RetortException(
                            RetortException.Kind.DATA,
                            "the extractor looks at images of " + shape.channels() + "x" + shape.height() + "x"
                                    + shape.width()
                                    + ", these are " + images.channels() + "x" + images.height() + "x" + images.width()
                                    + "; choose an extractor that was trained on such images")
                    .about("extractor");
        }
    }

    @Override
    public void close() {
        network.close();
    }
}
