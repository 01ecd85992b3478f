package dev.retort.cli;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.config.Suggestion;
import dev.retort.diffusion.Solvers;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.sample.Draw;
import java.util.Locale;
import picocli.CommandLine.Option;

/** How to sample, where it is not to be as the model's card says. */
final class SamplingOptions {
    @Option(
            names = "--steps",
            paramLabel = "N",
            converter = Numbers.Steps.class,
            description = "Steps of the solver, 1 to 10000; by default what the model asks for.")
    private Integer steps;

    @Option(
            names = "--solver",
            paramLabel = "NAME",
            description = "By default what the model asks for, a pipeline by its scheduler.")
    private String solver;

    @Option(
            names = "--guidance",
            paramLabel = "G",
            converter = Numbers.Scale.class,
            description = "u + G (c - u), G from -1000 to 1000: 1 is none.")
    private Double guidance;

    /** The card's way of sampling with what the options change in it. */
    SamplingSpec of(ModelCard card, String model) {
        SamplingSpec usual = card.sampling();
        String name = solver == null ? usual.solver() : solver.toLowerCase(Locale.ROOT);
        if (solver != null && !Solvers.names().contains(name)) {
            throw new RetortException(
                    Kind.USAGE, "--solver " + solver + " is not known" + Suggestion.among(name, Solvers.names()));
        }
        double scale = guidance == null ? usual.guidanceScale() : guidance;
        if (guidance != null && scale != 1 && !card.network().hasNullClass()) {
            throw new RetortException(
                    Kind.USAGE,
                    "--guidance " + scale + " needs a model trained with dropped labels, and " + model
                            + " was not; leave --guidance out");
        }
        SamplingSpec asked = new SamplingSpec(
                name,
                steps == null ? usual.steps() : steps,
                scale,
                usual.guidanceFrom(),
                usual.guidanceTo(),
                usual.guidanceChannels());
        if (solver != null || steps != null) {
            requirePlan(card, asked);
        }
        return asked;
    }

    private static void requirePlan(ModelCard card, SamplingSpec asked) {
        try {
            Draw.plan(card.process().process(), asked, card.network().learnSigma());
        } catch (RetortException e) {
            throw new RetortException(
                    Kind.USAGE,
                    "--solver " + asked.solver() + " with --steps " + asked.steps() + ": " + e.getMessage()
                            + "; change one of them",
                    e);
        }
    }
}
