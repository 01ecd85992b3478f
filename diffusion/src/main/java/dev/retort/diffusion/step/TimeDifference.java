package dev.retort.diffusion.step;

/**
 * Where a derivative along a path is read from two values: (f(t + ahead) - f(t - behind)) / (ahead + behind), the state going along as x + ahead v and x - behind v. Central but at
 * the ends of the path.
 *
 * @param ahead the step towards noise, at least 0
 * @param behind the step towards data, at least 0
 */
public record TimeDifference(double ahead, double behind) {

    /**
     * At a time.
     *
     * @param time where the derivative is wanted
     * @param step the distance on either side, above 0
     * @param least no value is read at or below it, if that can be helped
     * @param most nor above it
     */
    public static TimeDifference at(double time, double step, double least, double most) {
        boolean forward = time + step <= most;
        boolean backward = time - step > least;
        if (!(step > 0) || !(forward || backward)) {
            throw new IllegalArgumentException("a step of " + step + " from time " + time + " leaves " + least + ".."
                    + most + " on both sides; expected a shorter one, above 0");
        }
        return new TimeDifference(forward ? step : 0, backward ? step : 0);
    }

    /** The factor before the difference of the two values. */
    public double factor() {
        return 1 / (ahead + behind);
    }
}
