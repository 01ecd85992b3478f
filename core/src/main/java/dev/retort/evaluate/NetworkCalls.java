package dev.retort.evaluate;

import dev.retort.card.ModelCard;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import java.util.OptionalInt;

/** Counts the network calls of a way of sampling, as its plan has them. */
final class NetworkCalls {
    private NetworkCalls() {}

    /** Calls for one image; a step at which guidance acts costs two, unless the network computes guidance by itself. */
    static int of(ModelCard card, SamplingSpec sampling) {
        Plan plan = SamplingPlan.of(card.process(), sampling, false);
        boolean told = card.network().scalars().guidance();
        Guidance guidance = sampling.guidance(card.process().noiseSchedule().noisiestTime());
        int calls = 0;
        for (double time : plan.times()) {
            calls += guidance.actsAt(time) && !told ? 2 : 1;
        }
        return calls;
    }

    /**
     * The largest number of steps, below that of {@code sampling}, that needs at most {@code calls} and for which the model was
     * trained; none if one is too many, or the grid says how many there are.
     */
    static OptionalInt stepsWithin(ModelCard card, SamplingSpec sampling, double calls) {
        if (sampling.grid().steps().isPresent()) {
            return OptionalInt.empty();
        }
        for (int steps = sampling.steps() - 1; steps >= 1; steps--) {
            if (card.trainedFor().allows(steps) && of(card, sampling.withSteps(steps)) <= calls) {
                return OptionalInt.of(steps);
            }
        }
        return OptionalInt.empty();
    }
}
