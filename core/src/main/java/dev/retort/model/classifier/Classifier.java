package dev.retort.model.classifier;

import dev.retort.card.ClassifierShape;
import dev.retort.nn.Layer;
import org.bytedeco.pytorch.Tensor;

/** A network that says what is in an image, and hands out the pooled features it says it by. */
public abstract class Classifier extends Layer {
    /**
     * What a forward pass gives.
     *
     * @param features (N, featureSize), pooled over space behind the last ReLU
     * @param logits (N, classes)
     */
    public record Output(Tensor features, Tensor logits) {}

    /**
     * One evaluation.
     *
     * @param pixels (N, C, H, W) in [0, 1], fp32; the network normalises them itself
     * @param training whether batch norms use, and update their statistics by, the batch
     */
    public abstract Output forward(Tensor pixels, boolean training);

    /** Shape of the images and of what comes out. */
    public abstract ClassifierShape shape();

    /** What happens to bytes before the first layer, in the words of a report. */
    public abstract String preprocessing();
}
