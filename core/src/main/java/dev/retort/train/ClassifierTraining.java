package dev.retort.train;

import dev.retort.card.ClassifierCard;
import dev.retort.card.ConvSpec;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.evaluate.ClassAgreement;
import dev.retort.evaluate.ClassifierExtractor;
import dev.retort.evaluate.FeatureExtractor;
import dev.retort.evaluate.FeatureMatrix;
import dev.retort.evaluate.ImageSet;
import dev.retort.io.FolderLock;
import dev.retort.layout.ClassifierFiles;
import dev.retort.model.classifier.ClassifierFolder;
import dev.retort.model.classifier.ConvClassifier;
import dev.retort.nn.Init;
import dev.retort.report.Progress;
import dev.retort.run.RunFolder;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Trains a classifier whose features are to measure images: what {@code retort train-classifier} does, as a call. */
public final class ClassifierTraining {
    private static final String CLASSIFIER = "classifier";
    private static final int TEST_IMAGES = 10_000;

    private ClassifierTraining() {}

    /**
     * Trains for a few minutes, or goes on with what was stopped; then rounds to half precision, measures the accuracy of the
     * rounded weights on the test split and writes the result.
     *
     * @param folder where the result goes; a classifier that is there is replaced in the end, a folder with anything else
     *     refused. What the run writes as it goes lies in {@link ClassifierFolder#RUN} inside
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
        ComputeConfig.Choice on = config.loop().compute().choose(notes);
        ImageSource source = config.data().open();
        ImageSource test = config.data().withSplit("test").open();
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
            network = new ConvClassifier(spec, Init.of(config.seed(), on.device()));
        }
        try (network) {
            notes.accept(String.format(
                    Locale.ROOT,
                    "network: %d convolutions, %.2f M parameters, %d features",
                    spec.stages().stream().mapToInt(List::size).sum(),
                    network.parameterCount() / 1e6,
                    spec.featureSize()));
            RunFolder run;
            try (FolderLock held = FolderLock.take(folder, notes);
                    FolderLock inside = FolderLock.take(folder.resolve(ClassifierFiles.RUN), notes)) {
                run = RunFolder.open(inside, "classifier", config, notes);
                train(config, network, source, run, on.precision(), notes, progress, interrupted);
            }
            ClassifierFolder.roundToHalf(network);
            ImageSet images = ImageSet.subset(test, TEST_IMAGES);
            images.leftOut().forEach(notes);
            FeatureMatrix logits = FeatureMatrix.of(
                    FeatureExtractor.Extraction.of(images, batch -> ClassifierExtractor.extract(network, batch))
                            .logits());
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
            run.prune(0); // asked for again, it is trained anew
            return card;
        }
    }

    /** Trains, or goes on with what was stopped. */
    private static void train(
            ClassifierConfig config,
            ConvClassifier network,
            ImageSource source,
            RunFolder run,
            Precision precision,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        Player player = new Player(
                CLASSIFIER,
                new ClassificationTask.Asked(network, precision),
                new Player.Role.Learns(config.optimizer()));
        Stage stage =
                new Stage("train", config.images(), CLASSIFIER, List.of(new Weighted(new CrossEntropyLoss(), 1, 1)));
        try (Task task = new ClassificationTask(source, CLASSIFIER, config.shift(), config.seed(), network.device());
                Trainer trainer = new Trainer(task, List.of(player), List.of(stage), config.loop(), run, precision)) {
            trainer.announce(notes);
            trainer.run(progress, interrupted);
        }
    }
}
