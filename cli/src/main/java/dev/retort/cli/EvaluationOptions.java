package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.data.DataConfig;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.FeatureCache;
import dev.retort.evaluate.Measurement;
import dev.retort.pipeline.Models;
import dev.retort.report.ModelColumn;
import dev.retort.run.RunFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Against what and how models are judged and measured. */
final class EvaluationOptions {
    private static final int ROUNDS = 5;
    private static final int BATCHES_PER_ROUND = 4;

    @Option(
            names = "--data",
            paramLabel = "PATH",
            description = "Real images: a folder, or shapes; by default what the model was trained on.")
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

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "10000",
            converter = Numbers.Several.class,
            description = "Images of each model; by default 10000.")
    private int samples;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            converter = Numbers.Seed.class,
            description = "Seed of the images; by default 0.")
    private long seed;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "100",
            converter = Numbers.Count.class,
            description =
                    "Images at once; by default 100. Changes no score on 1 or 2 threads; on more, scores may differ in"
                            + " their last digits.")
    private int batch;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "" + ROUNDS,
            converter = Numbers.CountOrNone.class,
            description = "Rounds of measuring speed and memory; 0 leaves it out.")
    private int rounds;

    @Option(
            names = "--request",
            paramLabel = "N",
            defaultValue = "4",
            converter = Numbers.Count.class,
            description = "Images drawn together where speed and memory are measured; by default 4.")
    private int request;

    @Option(
            names = "--vae",
            paramLabel = "PLACE",
            description = "Autoencoder that decodes models of latents, a path or hf:OWNER/NAME; by default the one they"
                    + " were trained with.")
    private String vae;

    @Mixin
    private SamplingOptions sampling;

    @Mixin
    private SamplingForce force;

    @Mixin
    private ComputeOptions compute;

    long seed() {
        return seed;
    }

    /** A model as it will be sampled, once or in each of its numbers of steps, under a name that no other has. */
    List<Candidate> candidates(String given, List<String> taken, Output output) {
        StepCounts asked = StepCounts.of(given);
        String base = ModelArgument.name(asked.model());
        String name = base;
        for (int i = 2; taken.contains(name); i++) {
            name = base + " " + i;
        }
        taken.add(name);
        if (asked.steps().isEmpty()) {
            Path folder = ModelArgument.folder(given, sampling.steps(), output);
            return List.of(candidate(name, folder, sampling.of(Models.card(folder), given), given, output));
        }
        List<Candidate> candidates = new ArrayList<>();
        for (int steps : asked.steps()) {
            Path folder = ModelArgument.folder(asked.model(), steps, output);
            SamplingSpec spec = sampling.of(Models.card(folder), asked.model(), steps);
            candidates.add(candidate(ModelColumn.inSteps(name, steps), folder, spec, asked.model(), output));
        }
        return candidates;
    }

    private Candidate candidate(String name, Path folder, SamplingSpec spec, String given, Output output) {
        Candidate candidate = new Candidate(name, folder, spec, ModelArgument.place(vae, output));
        return candidate.with(force.allowing(spec, candidate.card(), given, output));
    }

    /** Judges models beside each other, on the data of the first, of the classes that students of a domain among them know. */
    Evaluator evaluator(List<Candidate> candidates, ComputeOptions.Chosen chosen, Output output) {
        return Evaluator.of(
                data(candidates.get(0)),
                extractors.stream().map(one -> ModelArgument.place(one, output)).toList(),
                new FeatureCache(cache()),
                new Evaluator.Settings(samples, seed, batch, chosen.device(), chosen.precision()),
                candidates);
    }

    ComputeOptions.Chosen choose(Output output) {
        return compute.choose(output);
    }

    Measurement measurement(ComputeOptions.Chosen chosen) {
        return new Measurement(
                request, rounds, BATCHES_PER_ROUND, chosen.device().toString(), chosen.precision(), compute.threads());
    }

    /** The images asked for, else those that the run's configuration names, else shapes for a model of shapes. */
    private DataConfig data(Candidate candidate) {
        ModelCard card = candidate.card();
        int size = card.images().height();
        if (data != null) {
            return data.equals("shapes") ? DataConfig.shapes(size) : new DataConfig.Auto(data, "test", size, false);
        }
        return trainedOn(candidate.model())
                .map(DataConfig::pictures)
                .or(() -> card.data().startsWith("shapes") ? Optional.of(DataConfig.shapes(size)) : Optional.empty())
                .orElseThrow(() -> new RetortException(
                        Kind.USAGE,
                        candidate.model() + " does not say where its data (" + card.data()
                                + ") lie; give their folder as --data"));
    }

    private static Optional<DataConfig> trainedOn(Path model) {
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
