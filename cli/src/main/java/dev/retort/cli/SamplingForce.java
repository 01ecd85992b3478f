package dev.retort.cli;

import dev.retort.card.ClassChoice;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.error.RetortException;
import picocli.CommandLine.Option;

/** Whether a model is sampled also where it was not trained for it. */
final class SamplingForce {
    @Option(
            names = "--force",
            description = "Sample a distilled student also in a way that it was not trained for, with a warning.")
    private boolean force;

    /**
     * The card under which a model is sampled in a way: its own, or with the option one that allows any.
     *
     * @throws RetortException where the model was not trained for it and is not forced
     */
    ModelCard allowing(SamplingSpec asked, ModelCard card, String model, Output output) {
        boolean fits = allow(() -> card.trainedFor().requireFit(card.process().noiseSchedule(), asked), model, output);
        return fits
                ? card
                : card.withTrainedFor(TrainedFor.ANY.ofClasses(card.trainedFor().classes()));
    }

    /**
     * Allows a model's classes to be drawn: its own, or with the option any.
     *
     * @throws RetortException where the model was not distilled for one of them and is not forced
     */
    void allow(ClassChoice asked, ModelCard card, String model, Output output) {
        allow(() -> card.trainedFor().requireClasses(asked.labels(), card.classes()), model, output);
    }

    private boolean allow(Runnable check, String model, Output output) {
        try {
            check.run();
            return true;
        } catch (RetortException e) {
            if (!force) {
                throw new RetortException(
                        e.kind(), "--" + e.getMessage() + ", or sample " + model + " nonetheless with --force", e);
            }
            output.say("Warning: " + e.getMessage() + "; " + model + " is sampled nonetheless");
            return false;
        }
    }
}
