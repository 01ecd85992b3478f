package dev.retort.train;

import dev.retort.card.NetworkSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TrainedFor;
import dev.retort.data.Datasets;
import dev.retort.data.ImageSource;
import dev.retort.io.FolderLock;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.report.Progress;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import dev.retort.torch.TorchError;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Trains a network from a configuration: what {@code retort train} does, as a call. */
public final class Training {
    private static final String KIND = "train";
    private static final String MODEL = "model";

    private Training() {}

    /**
     * Trains, or resumes, and writes the model.
     *
     * @param config the run
     * @param run its folder, new or to be resumed; one run at a time may write into it
     * @param notes is told, once each, what was chosen and why
     * @param interrupted polled after every step
     * @return the model's folder
     */
    public static Path run(
            TrainConfig config,
            Path run,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        return run(config, "", run, provenance, notes, progress, interrupted);
    }

    /**
     * The same from another model's weights.
     *
     * @param initFrom a model, run or checkpoint, ours or another program's, or {@code hf:OWNER/NAME}, of the same shape,
     *     perhaps of another height and width, whose weights a new run starts from; empty for random ones. A run that is
     *     resumed goes on from its own, and another model than it started from is refused
     */
    public static Path run(
            TrainConfig config,
            String initFrom,
            Path run,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        try (FolderLock held = FolderLock.take(run, notes)) {
            return run(config, initFrom, held, provenance, notes, progress, interrupted);
        } catch (RuntimeException e) {
            throw TorchError.translate(e, "preparing the run", Trainer.NO_MEMORY);
        }
    }

    private static Path run(
            TrainConfig config,
            String initFrom,
            FolderLock held,
            Map<String, String> provenance,
            Consumer<String> notes,
            Progress progress,
            BooleanSupplier interrupted) {
        ComputeConfig.Choice on = config.run().compute().choose(notes);
        ImageSource source = config.run().data().open();
        Datasets.describe(source, notes);
        InitialWeights initial = new InitialWeights(initFrom);
        RunFolder folder = new RunFolder(held.folder());
        boolean begun = folder.begun();
        if (begun) {
            RunFolder.open(held, KIND, config, notes);
        }
        Optional<TextCard> text = (begun ? CheckpointStore.text(folder) : initial.text(notes))
                .or(() -> config.model().text(source));
        NetworkSpec spec = config.network(text, source);
        try (Network network = network(spec, config.run().seed(), on.device())) {
            if (!begun) {
                initial.take(network, config.objective(), source, on.device(), notes);
                RunFolder.open(held, KIND, config, notes);
            }
            Predictor predictor = Predictor.of(
                    network,
                    Architectures.conditioner(
                            spec,
                            text.orElse(null),
                            source.autoencoder()
                                    .map(encoder -> encoder.images(spec.shape()))
                                    .orElse(spec.shape())),
                    config.objective().process(),
                    on.precision());
            Stage stage = new Stage(
                    "train",
                    config.images(),
                    MODEL,
                    List.of(new Weighted(new DiffusionLoss(config.objective()), 1, 1)));
            try (Task task = new DiffusionTask(
                            source,
                            config.objective(),
                            MODEL,
                            predictor,
                            config.model().dropout(),
                            Optional.empty(),
                            config.run(),
                            "",
                            TrainedFor.ANY,
                            text,
                            initial.into(provenance));
                    Trainer trainer = new Trainer(
                            task,
                            List.of(new Player(MODEL, predictor, config.run().learns())),
                            List.of(stage),
                            config.run().loop(),
                            folder,
                            on.precision())) {
                notes.accept(String.format(
                        Locale.ROOT,
                        "network: %s, %.2f M parameters, %.1f M MACs per image; micro-batch %d of %d",
                        spec.name(),
                        network.parameterCount() / 1e6,
                        spec.macs() / 1e6,
                        trainer.microBatch(),
                        config.run().batch()));
                trainer.announce(notes);
                return trainer.run(progress, interrupted);
            }
        }
    }

    private static Network network(NetworkSpec spec, long seed, Device device) {
        try (Scope scope = Scope.open()) {
            return Architectures.build(spec, Init.of(seed, device));
        }
    }
}
