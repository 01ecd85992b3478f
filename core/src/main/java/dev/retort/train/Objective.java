package dev.retort.train;

import dev.retort.card.ProcessSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.data.ImageSource;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.Weighting;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Map;

/** What a network is trained to do: how data are noised, what it predicts, at which times, with which weights. */
public sealed interface Objective {
    /** How data are noised and what the network returns. */
    ProcessSpec process();

    /** Where in time a sample is noised. */
    TimeSampler times();

    /** How much a sample's squared error counts. */
    Weighting weighting();

    /** Whether the output carries variance channels, trained by the variational bound. */
    boolean learnSigma();

    /** Refuses data that it cannot be trained on. */
    default void requireFit(ImageSource source) {
        double clamp = process().clamp();
        if (clamp != 0 && source.autoencoder().isPresent()) {
            throw new RetortException(
                    Kind.CONFIG,
                    "clamp is " + clamp
                            + ", but the data are latents, which have no such bound; set objective.clamp=0");
        }
    }

    /**
     * Flow matching (Lipman et al. 2023) with logit-normal times (Esser et al. 2024): the default for new runs.
     *
     * @param timeMean above 0 favours noise
     * @param timeStd above 0, usually 1
     * @param clamp bound on predicted clean samples in sampling: 1 for pixels, 0 for none
     */
    record Flow(double timeMean, double timeStd, double clamp) implements Objective {
        /** For pixels: what a configuration without an objective trains. */
        public static final Flow PIXELS = new Flow(0, 1, 1);

        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("timeMean", PIXELS.timeMean, "timeStd", PIXELS.timeStd, "clamp", PIXELS.clamp);
        }

        @Override
        public ProcessSpec process() {
            return new ProcessSpec(new ScheduleSpec.Flow(), Prediction.FLOW, clamp);
        }

        @Override
        public TimeSampler times() {
            return new TimeSampler.LogitNormal(timeMean, timeStd);
        }

        @Override
        public Weighting weighting() {
            return Weighting.SIMPLE;
        }

        @Override
        public boolean learnSigma() {
            return false;
        }
    }

    /**
     * A discrete chain with uniform times (Ho et al. 2020); with noise prediction, linear schedule and {@code learnSigma} it
     * is the objective of the DiT paper.
     *
     * @param process schedule and prediction
     * @param learnSigma whether the variance is learned within its range (Nichol and Dhariwal 2021)
     * @param minSnr gamma of min-SNR weighting; 0 for none
     */
    record Ddpm(ProcessSpec process, boolean learnSigma, double minSnr) implements Objective {
        /** What a configuration may leave out. */
        public static Map<String, ?> defaults() {
            return Map.of("process", ProcessSpec.ddpm(), "learnSigma", false, "minSnr", 0);
        }

        @Override
        public TimeSampler times() {
            return TimeSampler.UNIFORM;
        }

        @Override
        public Weighting weighting() {
            return minSnr == 0 ? Weighting.SIMPLE : new Weighting.MinSnr(minSnr);
        }
    }
}
