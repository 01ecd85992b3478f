package dev.retort.diffusion;

/**
 * The coordinates in which the Euler family works: y = x / alpha = x0 + ratio * eps, with ratio = sigma / alpha. The network still sees x, so its input
 * is scaled by alpha.
 */
final class Exploding {
    private Exploding() {}

    /** The network call at a point, on a state y. */
    static Plan.Call call(Process process, TimeGrid.Point at) {
        return new Plan.Call(at.time(), at.alpha(), at.sigma(), at.alpha(), process.prediction(), process.clamp());
    }

    /** dy/dratio, which is the predicted noise, of the latest call. */
    static Combination slope(Process process, TimeGrid.Point at) {
        if (!process.clamp().equals(Clamp.NONE)) {
            return Combination.state(0).minus(Combination.x0(0)).times(1 / at.noiseRatio());
        }
        Prediction prediction = process.prediction();
        return Combination.state(0)
                .times(at.alpha() * prediction.epsFromState(at.alpha(), at.sigma()))
                .plus(Combination.output(0).times(prediction.epsFromOutput(at.alpha(), at.sigma())));
    }

    /**
     * The standard deviation of the first state. From the noisiest time the state is pure noise. A table entered below its noisiest time is entered with unit
     * variance in the network's coordinates.
     */
    static double startScale(String solver, Process process, TimeGrid grid) {
        TimeGrid.Point start = grid.from(0);
        if (start.alpha() == 0) {
            throw new IllegalArgumentException("the solver " + solver + " cannot start where alpha is 0 (time "
                    + start.time() + "); use flow-euler, ddim or dpmpp-2m, or a grid that starts at less noise");
        }
        double ratio = start.noiseRatio();
        boolean noisiest = start.time() == process.schedule().noisiestTime();
        return process.schedule() instanceof DiscreteSchedule && !noisiest ? Math.sqrt(1 + ratio * ratio) : ratio;
    }
}
