package dev.retort.cli;

import dev.retort.config.Suggestion;
import dev.retort.diffusion.Solvers;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.model.ModelCard;
import dev.retort.model.SamplingSpec;
import java.util.Locale;
import picocli.CommandLine.Option;

/** How models are sampled: as each one's card says, but for what is given here. */
final class SamplingOptions {
    @Option(
            names = "--steps",
            paramLabel = "N",
            description = "Steps of the solver; by default what each model asks for.")
    private Integer steps;

    @Option(names = "--solver", paramLabel = "NAME", description = "By default what each model asks for.")
    private String solver;

    @Option(
            names = "--guidance",
            paramLabel = "G",
            description = "u + G (c - u), 1 is none; by default what each model asks for.")
    private Double guidance;

    SamplingSpec of(ModelCard card, String model) {
        SamplingSpec usual = card.sampling();
        String name = solver == null ? usual.solver() : solver.toLowerCase(Locale.ROOT);
        if (!Solvers.names().contains(name)) {
            throw new RetortException(
                    Kind.USAGE, "--solver " + solver + " is not known" + Suggestion.among(name, Solvers.names()));
        }
        if (steps != null && steps < 1) {
            throw new RetortException(Kind.USAGE, "--steps is " + steps + ", expected at least 1");
        }
        double scale = guidance == null ? usual.guidanceScale() : guidance;
        if (scale != 1 && !card.network().hasNullClass()) {
            throw new RetortException(
                    Kind.USAGE,
                    "--guidance " + scale + " needs a model trained with dropped labels, and " + model
                            + " was not; use --guidance 1");
        }
        return new SamplingSpec(
                name,
                steps == null ? usual.steps() : steps,
                scale,
                usual.guidanceFrom(),
                usual.guidanceTo(),
                usual.guidanceChannels());
    }
}
