package dev.retort.cli;

import dev.retort.card.GridSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingChange;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.SolverSpec;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import picocli.CommandLine.Option;

/** How to sample, where it is not to be as the model's card says. */
final class SamplingOptions {
    @Option(
            names = "--steps",
            paramLabel = "N",
            converter = Numbers.Steps.class,
            description = "Steps of the solver, 1 to 10000; by default what the model asks for (trajectories: 16).")
    private Integer steps;

    @Option(
            names = "--solver",
            paramLabel = "NAME[:OPTION=VALUE,...]",
            description =
                    "Such as ddim:eta=0.5 or dpmpp-2m; by default what the model asks for, a pipeline by its scheduler.")
    private String solver;

    @Option(
            names = "--grid",
            paramLabel = "NAME[:OPTION=VALUE,...]",
            description = "The noise levels of the steps: leading:offset=1, trailing, karras:rho=7, flow:shift=3,"
                    + " times:at=999,499; by default what the model asks for. docs/sampling.md has all.")
    private String grid;

    @Option(
            names = "--guidance",
            paramLabel = "G[:OPTION=VALUE,...]",
            description = "u + G (c - u), G from -1000 to 1000: 1 is none. 4:from=0.2,to=0.8,channels=3 guides between"
                    + " two shares of the noisiest time, on the first channels.")
    private String guidance;

    @Option(
            names = "--guidance-rescale",
            paramLabel = "R",
            description =
                    "Share of the contrast that guidance adds which is taken back, 0 to 1 (Lin et al. 2024: 0.7 for"
                            + " strong guidance); by default what the model asks for, usually 0.")
    private Double guidanceRescale;

    @Option(
            names = "--clamp",
            paramLabel = "NAME[:OPTION=VALUE,...]",
            description =
                    "Bounds of the predicted sample: none, range:limit=1, dynamic:quantile=0.995,max=1; by default"
                            + " what the model asks for.")
    private String clamp;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description =
                    "Factor on the noise that the solver adds in its steps, 0 to 10; not on the noise it starts from. By"
                            + " default what the model asks for, usually 1.")
    private Double temperature;

    /** The number of steps asked for; null where none is. */
    Integer steps() {
        return steps;
    }

    /** Whether any of them is given. */
    boolean any() {
        return steps != null
                || solver != null
                || grid != null
                || guidance != null
                || guidanceRescale != null
                || clamp != null
                || temperature != null;
    }

    /** The card's way of sampling with what the options change in it. */
    SamplingSpec of(ModelCard card, String model) {
        return of(card.sampling(), card, model);
    }

    /** The same in a number of steps that stands behind the model's name. */
    SamplingSpec of(ModelCard card, String model, int count) {
        if (steps != null) {
            throw new RetortException(
                    Kind.USAGE,
                    "--steps " + steps + " stands beside " + model + "@" + count
                            + "; say for every model behind its name in how many steps, or for all by --steps");
        }
        return of(card.sampling(), card, model, count);
    }

    /** The same for a command that samples a model of this card otherwise where no option says how. */
    SamplingSpec of(SamplingSpec usual, ModelCard card, String model) {
        return of(usual, card, model, steps);
    }

    private SamplingSpec of(SamplingSpec usual, ModelCard card, String model, Integer count) {
        SamplingSpec asked = asked(usual, count);
        if (guidance != null) {
            requireGuidable(card, asked, model);
        }
        boolean foreign = asked.solver() instanceof SolverSpec.Foreign || asked.grid() instanceof GridSpec.Foreign;
        if (solver != null || count != null || grid != null || clamp != null || temperature != null || foreign) {
            requirePlan(card, asked);
        }
        return asked;
    }

    /** Refuses guidance of a model that was never asked without a class. */
    static void requireGuidable(ModelCard card, SamplingSpec asked, String model) {
        if (asked.guidanceScale() != 1 && !card.network().guidable()) {
            throw new RetortException(
                    Kind.USAGE,
                    "--guidance " + asked.guidanceScale() + " needs a model trained with dropped labels, and " + model
                            + " was not; leave --guidance out");
        }
    }

    private SamplingSpec asked(SamplingSpec usual, Integer count) {
        try {
            return new SamplingChange(solver, count, grid, guidance, guidanceRescale, clamp, temperature).of(usual);
        } catch (RetortException e) {
            throw new RetortException(e.kind(), "--" + e.getMessage(), e);
        }
    }

    private void requirePlan(ModelCard card, SamplingSpec asked) {
        try {
            SamplingPlan.of(card, asked);
        } catch (RetortException e) {
            if (!e.field().isEmpty()) {
                throw e; // it says which part is to be named
            }
            throw new RetortException(
                    Kind.USAGE,
                    "--solver " + asked.solver().text() + " with --steps " + asked.steps()
                            + (grid == null ? "" : " and --grid " + asked.grid().text()) + ": " + e.getMessage()
                            + "; change one of them",
                    e);
        }
    }
}
