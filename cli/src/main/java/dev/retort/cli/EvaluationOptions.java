package dev.retort.cli;

import dev.retort.evaluate.Candidate;
import dev.retort.evaluate.Evaluator;
import dev.retort.evaluate.Measurement;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Against what and how models are judged and measured. */
final class EvaluationOptions {
    private static final int ROUNDS = 5;
    private static final int BATCHES_PER_ROUND = 4;

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

    @Mixin
    private RealImageOptions images;

    @Mixin
    private CandidateOptions models;

    @Mixin
    private ComputeOptions compute;

    long seed() {
        return seed;
    }

    List<Candidate> candidates(String given, List<String> taken, Output output) {
        return models.candidates(given, taken, output);
    }

    Evaluator evaluator(List<Candidate> candidates, ComputeOptions.Chosen chosen, Output output) {
        return images.evaluator(
                candidates, new Evaluator.Settings(samples, seed, batch, chosen.device(), chosen.precision()), output);
    }

    ComputeOptions.Chosen choose(Output output) {
        return compute.choose(output);
    }

    Measurement measurement(ComputeOptions.Chosen chosen) {
        return new Measurement(
                request, rounds, BATCHES_PER_ROUND, chosen.device().toString(), chosen.precision(), compute.threads());
    }
}
