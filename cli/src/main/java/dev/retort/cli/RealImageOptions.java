package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.FeatureCache;
import dev.retort.run.RunFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Real images, and whose features of them are compared. */
final class RealImageOptions {
    @Option(
            names = "--data",
            paramLabel = "PATH",
            description =
                    "Real images: a folder, shapes or captioned-shapes; by default what the model was trained on.")
    private String data;

    @Option(
            names = "--extractor",
            paramLabel = "NAME|PATH",
            split = ",",
            defaultValue = "auto,random,patches",
            description =
                    "Whose features are compared, the first with all its scores; by default auto,random,patches: the one"
                            + " made for the images, else pixels; a network that nobody trained; it on the images' middles.")
    private List<String> extractors;

    /** Judges models beside each other, on the data of the first, of the classes that students of a domain among them know. */
    Evaluator evaluator(List<Candidate> candidates, Evaluator.Settings settings, Output output) {
        return Evaluator.of(
                data(candidates.get(0)),
                extractors.stream().map(one -> ModelArgument.place(one, output)).toList(),
                new FeatureCache(cache()),
                settings,
                candidates);
    }

    /** The images asked for, else those that the run's configuration names, else shapes for a model of shapes. */
    private DataConfig data(Candidate candidate) {
        ModelCard card = candidate.card();
        int size = card.images().height();
        if (data != null) {
            return data.equals("shapes") ? DataConfig.shapes(size) : DataConfig.of(data, "test", size);
        }
        return trainedOn(candidate.model())
                .map(DataConfig::pictures)
                .or(() -> drawn(card.data(), "test", size))
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        candidate.model() + " does not say where its data (" + card.data()
                                + ") lie; give their folder as --data"));
    }

    /** Pictures that we draw ourselves, by the name that a card has for them. */
    static Optional<DataConfig> drawn(String name, String split, int size) {
        return name.startsWith("shapes")
                ? Optional.of(DataConfig.shapes(size))
                : Optional.of("captioned-shapes")
                        .filter(name::startsWith)
                        .map(captioned -> DataConfig.of(captioned, split, size));
    }

    /** The data of the run around a model, where it lies in one. */
    static Optional<DataConfig> trainedOn(Path model) {
        try {
            return RunFolder.around(model).flatMap(RunFolder::data);
        } catch (RetortException e) {
            throw new RetortException(e.kind(), e.getMessage() + "; or give the pictures as --data", e);
        }
    }

    private static Path cache() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base =
                cache == null || cache.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        return base.resolve("retort").resolve("features");
    }
}
