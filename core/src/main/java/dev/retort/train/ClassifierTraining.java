package dev.retort.train;

import dev.retort.card.ClassifierCard;
import dev.retort.card.ConvSpec;
import dev.retort.data.Batch;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.data.Loader;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.ClassAgreement;
import dev.retort.evaluate.ClassifierExtractor;
import dev.retort.evaluate.FeatureMatrix;
import dev.retort.evaluate.ImageSet;
import dev.retort.io.FolderLock;
import dev.retort.layout.ClassifierFiles;
import dev.retort.model.classifier.ClassifierFolder;
import dev.retort.model.classifier.ConvClassifier;
import dev.retort.nn.Init;
import dev.retort.report.Progress;
import dev.retort.torch.Autocast;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import dev.retort.torch.TorchError;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/** Trains a classifier whose features are to measure images: what {@code retort train-classifier} does, as a call. */
public final class ClassifierTraining {
    private static final int PREFETCH = 3;
    private static final int MOST_NAMED = 3;
    private static final int TEST_IMAGES = 10_000;

    private ClassifierTraining() {}

    /**
     * Trains for a few minutes, rounds to half precision, measures the accuracy of the rounded weights on the test split and
     * writes the folder. Nothing is written before the end.
     *
     * @param folder where the result goes; a classifier that is there is replaced, a folder with anything else refused
     * @param notes is told, once each, what was chosen and why
     * @param interrupted polled after every step
     * @return the card that was written
     */
    public static ClassifierCard run(
            ClassifierConfig config,
            Path folder,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        ClassifierFiles.requireReplaceable(folder);
        Device.Choice device = Device.choose(config.device());
        Precision.Choice precision = Precision.choose(config.precision(), device.device());
        notes.accept("device: " + device.device() + " (" + device.reason() + ")");
        notes.accept("precision: " + precision.precision() + " (" + precision.reason() + ")");
        ImageSource source = Datasets.open(config.data());
        ImageSource test = Datasets.open(config.data().withSplit("test"));
        Datasets.describe(source, notes);
        Datasets.describe(test, notes);
        ConvSpec spec = new ConvSpec(
                source.channels(),
                source.height(),
                source.width(),
                config.stages(),
                source.classNames().size());
        ConvClassifier network;
        try (Scope scope = Scope.open()) {
            network = new ConvClassifier(spec, Init.of(config.seed(), device.device()));
        }
        try (network) {
            notes.accept(String.format(
                    Locale.ROOT,
                    "network: %d convolutions, %.2f M parameters, %d features",
                    spec.stages().stream().mapToInt(List::size).sum(),
                    network.parameterCount() / 1e6,
                    spec.featureSize()));
            try (FolderLock held = FolderLock.take(folder, notes)) {
                train(config, network, source, precision.precision(), notes, progress, interrupted);
            }
            ClassifierFolder.roundToHalf(network);
            ImageSet images = ImageSet.draw(test, TEST_IMAGES);
            images.leftOut().forEach(notes);
            FeatureMatrix logits = FeatureMatrix.of(
                    ClassifierExtractor.extract(network, images.pixels()).logits());
            double accuracy = ClassAgreement.share(ClassAgreement.classes(logits), images.labels());
            ClassifierCard card = new ClassifierCard(
                    ClassifierCard.FORMAT,
                    config.name(),
                    spec,
                    source.classNames(),
                    source.name(),
                    config.images(),
                    config.seed(),
                    provenance,
                    Map.of("testAccuracy", accuracy, "testImages", (double) images.size()));
            ClassifierFolder.save(folder, network, card);
            return card;
        }
    }

    private static void train(
            ClassifierConfig config,
            ConvClassifier network,
            ImageSource source,
            Precision precision,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        try (Loader loader = new Loader(
                        source, config.batch(), config.seed(), 0, config.data().flip(), 1, PREFETCH);
                AdamW optimizer = new AdamW(network.parameters(), config.optimizer())) {
            double smooth = 0;
            for (long seen = 0; seen < config.images(); seen += config.batch()) {
                Batch batch = Shift.of(loader.next(), config.shift(), config.seed());
                loader.newlySkipped().forEach(notes);
                double loss = backward(network, batch, precision);
                if (!Double.isFinite(loss)) {
                    throw new RetortException(
                            Kind.DIVERGED,
                            "the classifier's loss is " + loss + " after " + seen
                                    + " images; lower optimizer.lr and run again");
                }
                optimizer.clip();
                optimizer.step(config.optimizer().rate(seen, config.images()));
                optimizer.dropGradients();
                smooth = seen == 0 ? loss : 0.98 * smooth + 0.02 * loss;
                progress.update(
                        Math.min(config.images(), seen + config.batch()),
                        config.images(),
                        String.format(Locale.ROOT, "loss %.3f", smooth));
                if (interrupted.getAsBoolean()) {
                    throw new RetortException(
                            Kind.INTERRUPTED, "stopped at " + seen + " images, nothing was written; run it again");
                }
            }
        } catch (RetortException e) {
            throw e;
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "training the classifier", "lower batch");
        }
    }

    private static double backward(ConvClassifier network, Batch batch, Precision precision) {
        Device device = network.device();
        try (Scope scope = Scope.open()) {
            Tensor loss;
            try (Autocast autocast = Autocast.to(precision, device)) {
                Tensor logits = network.forward(unit(batch, device), true).logits(); // (N, classes)
                loss = Ops.crossEntropy(logits, Tensors.of(batch.prompts().labels(), device));
            }
            loss.backward();
            return Tensors.scalar(loss);
        }
    }

    /** Pixels in [0, 1], (N, C, H, W). */
    private static Tensor unit(Batch batch, Device device) {
        Tensor pixels =
                Tensors.of(batch.pixels(), device, batch.count(), batch.channels(), batch.height(), batch.width());
        return Ops.add(Ops.mul(pixels, 0.5), 0.5);
    }
}
