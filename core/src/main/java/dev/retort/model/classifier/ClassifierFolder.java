package dev.retort.model.classifier;

import dev.retort.card.ClassifierCard;
import dev.retort.layout.ClassifierFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Weights;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.nio.file.Path;

/** Classifiers between tensors and {@link ClassifierFiles}. */
public final class ClassifierFolder {
    private ClassifierFolder() {}

    /** A loaded classifier, frozen, and its card. */
    public record Loaded(ConvClassifier network, ClassifierCard card) implements AutoCloseable {
        @Override
        public void close() {
            network.close();
        }
    }

    /** Rounds the values to half precision in place, as {@link #save} writes them, so that what is measured is what is kept. */
    public static void roundToHalf(Layer layer) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            layer.state().values().forEach(tensor -> tensor.copy_(Dtype.F16.cast(tensor)));
        }
    }

    /** Writes a classifier in half precision, as {@link ClassifierFiles#save} does. */
    public static void save(Path folder, ConvClassifier network, ClassifierCard card) {
        ClassifierFiles.save(folder, card, Weights.writer(network.state(), Dtype.F16));
    }

    /** Loads a classifier for evaluation: weights in fp32, frozen. */
    public static Loaded load(Path folder, Device device) {
        ClassifierCard card = ClassifierFiles.card(folder);
        ConvClassifier network;
        try (Scope scope = Scope.open()) {
            network = new ConvClassifier(card.network(), Init.blank(device));
            Weights.fill(network, folder.resolve(ModelFiles.WEIGHTS));
        }
        network.freeze();
        return new Loaded(network, card);
    }
}
