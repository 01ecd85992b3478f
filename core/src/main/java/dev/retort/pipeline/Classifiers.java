package dev.retort.pipeline;

import dev.retort.card.ClassifierCard;
import dev.retort.card.ConvSpec;
import dev.retort.layout.ClassifierFiles;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Weights;
import dev.retort.model.classifier.Classifier;
import dev.retort.model.classifier.ConvClassifier;
import dev.retort.model.classifier.ResNet20;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Classifiers from disk and to it: the one place that knows which kinds there are. */
public final class Classifiers {
    private Classifiers() {}

    /** A loaded classifier, frozen, and its card. */
    public record Loaded(Classifier network, ClassifierCard card) implements AutoCloseable {
        @Override
        public void close() {
            network.close();
        }
    }

    /** A new classifier as a spec describes it; the caller owns it. */
    public static Classifier create(ConvSpec spec, Init init) {
        return new ConvClassifier(spec, init);
    }

    /** Rounds the values to half precision in place, as {@link #save} writes them, so that what is measured is what is kept. */
    public static void roundToHalf(Layer layer) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            layer.state().values().forEach(tensor -> tensor.copy_(Dtype.F16.cast(tensor)));
        }
    }

    /** Writes a classifier in half precision, as {@link ClassifierFiles#save} does. */
    public static void save(Path folder, Classifier network, ClassifierCard card) {
        ClassifierFiles.save(folder, card, Weights.writer(network.state(), Dtype.F16));
    }

    /** Loads a classifier for evaluation: weights in fp32, frozen. */
    public static Loaded load(Path folder, Device device) {
        ClassifierCard card = ClassifierFiles.card(folder);
        Path weights = folder.resolve(ModelFiles.WEIGHTS);
        return new Loaded(filled(() -> create(card.network(), Init.blank(device)), weights), card);
    }

    /** Loads the weights of a ResNet-20 for CIFAR-10 that another program trained, frozen. */
    public static Classifier resNet20(Path file, Device device) {
        return filled(() -> new ResNet20(Init.blank(device)), file);
    }

    private static Classifier filled(Supplier<Classifier> blank, Path weights) {
        Classifier network;
        try (Scope scope = Scope.open()) {
            network = blank.get();
        }
        try {
            Weights.fill(network, weights);
        } catch (RuntimeException e) {
            network.close();
            throw e;
        }
        network.freeze();
        return network;
    }
}
