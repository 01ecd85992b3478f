package dev.retort.cli;

import dev.retort.card.SamplingSpec;
import dev.retort.evaluate.Candidate;
import dev.retort.pipeline.Models;
import dev.retort.report.ModelColumn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How models that are judged or measured are sampled. */
final class CandidateOptions {
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
}
