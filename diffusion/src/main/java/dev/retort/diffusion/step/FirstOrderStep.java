package dev.retort.diffusion.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;

/**
 * A step of DDIM without noise (Song et al. 2021, eq. 12), which on a straight path is Euler's: x_s = fromState x_t + fromX0 x0. {@link dev.retort.diffusion.Ddim} samples
 * with it; here it serves losses that take a single step, from a point of their own for each sample.
 *
 * @param fromState the factor before x_t
 * @param fromX0 the factor before the predicted clean sample
 */
public record FirstOrderStep(double fromState, double fromX0) {

    /** From a point with noise to any other. */
    public static FirstOrderStep between(TimeGrid.Point t, TimeGrid.Point s) {
        double ratio = s.sigma() / t.sigma();
        return new FirstOrderStep(ratio, s.alpha() - ratio * t.alpha());
    }

    /** The a of x_s = a x_t + b output, the output being a network's at t. */
    public double fromStateBeside(Prediction prediction, TimeGrid.Point t) {
        return fromState + fromX0 * prediction.x0FromState(t.alpha(), t.sigma());
    }

    /** The b of x_s = a x_t + b output. */
    public double fromOutput(Prediction prediction, TimeGrid.Point t) {
        return fromX0 * prediction.x0FromOutput(t.alpha(), t.sigma());
    }
}
