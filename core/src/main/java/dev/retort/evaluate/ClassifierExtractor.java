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
public record ClassifierExtractor(Classifier network, FeatureSpace space) implements FeatureExtractor, AutoCloseable {
    private static final int BATCH = 250;

    @Override
    public Extraction extract(PixelBatch images) {
        Extraction extraction = extract(network, images);
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

    /** Features and logits of a network that has no name yet, in batches. */
    public static Extraction extract(Classifier network, PixelBatch images) {
        requireSize(network.shape(), images);
        float[][] features = new float[images.count()][];
        float[][] logits = new float[images.count()][];
        Device device = network.device();
        for (int first = 0; first < images.count(); first += BATCH) {
            int n = Math.min(BATCH, images.count() - first);
            try (Scope scope = Scope.open();
                    NoGrad off = NoGrad.on();
                    Autocast plain = Autocast.to(Precision.FP32, device)) {
                Classifier.Output output = network.forward(unit(images, first, n, device), false);
                split(Tensors.floats(output.features()), features, first, n);
                split(Tensors.floats(output.logits()), logits, first, n);
            }
        }
        return new Extraction(features, logits);
    }

    /** Pixels in [0, 1], (n, C, H, W). */
    private static Tensor unit(PixelBatch images, int first, int n, Device device) {
        int size = images.imageSize();
        Tensor bytes = Tensors.of(
                ByteBuffer.wrap(images.pixels(), first * size, n * size),
                Dtype.U8,
                device,
                n,
                images.channels(),
                images.height(),
                images.width());
        return Ops.mul(Dtype.F32.cast(bytes), 1 / 255.0);
    }

    private static void split(float[] values, float[][] rows, int first, int n) {
        int width = values.length / n;
        for (int i = 0; i < n; i++) {
            rows[first + i] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
        }
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
