package dev.retort.diffusion;

/**
 * What a trained network stands for: how its data were noised, what its output means, and whether the clean sample has known bounds.
 *
 * @param schedule how samples were noised in training
 * @param prediction what the network returns
 * @param clamp bounds on the predicted clean sample
 */
public record Process(NoiseSchedule schedule, Prediction prediction, Clamp clamp) {
    /** A process without bounds. */
    public Process(NoiseSchedule schedule, Prediction prediction) {
        this(schedule, prediction, Clamp.NONE);
    }

    /**
     * The standard deviation of the first state in the schedule's own coordinates: sigma at the noisiest time for schedules that leave the data unscaled, and 1
     * for all that scale it down, which are started from unit noise wherever the grid begins.
     */
    double startScale() {
        return schedule instanceof KarrasSchedule || schedule instanceof TrigFlow
                ? schedule.sigma(schedule.noisiestTime())
                : 1;
    }

    /** The network call at a point, on a state in the schedule's own coordinates. */
    Plan.Call call(TimeGrid.Point at) {
        return new Plan.Call(at.time(), at.alpha(), at.sigma(), 1, prediction, clamp);
    }

    /**
     * The noise that the latest call predicts, on a state in the schedule's own coordinates. With a clamp it is what remains of the state beside
     * the clamped x0 (so that both together make the state), or, if {@code raw}, what the network said before.
     */
    Combination eps(TimeGrid.Point at, boolean raw) {
        double alpha = at.alpha();
        double sigma = at.sigma();
        if (raw || clamp.equals(Clamp.NONE)) {
            return Combination.state(0)
                    .times(prediction.epsFromState(alpha, sigma))
                    .plus(Combination.output(0).times(prediction.epsFromOutput(alpha, sigma)));
        }
        return Combination.state(0).minus(Combination.x0(0).times(alpha)).times(1 / sigma);
    }
}
