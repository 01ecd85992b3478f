package dev.retort.diffusion.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;

/**
 * The output with which a single {@link FirstOrderStep} from a state at t lands on a given state at s (Salimans and Ho 2022, appendix G): fromState x_t + fromLanding x_s. The
 * pair (x0, eps) behind it solves x_t = alpha_t x0 + sigma_t eps, x_s = alpha_s x0 + sigma_s eps, on every schedule and over any number of the teacher's steps. Where s has no
 * noise, x0 is the landing itself; a schedule whose last step ends above that is aimed at a point without noise, as its teacher is.
 *
 * @param fromState the factor before the state at t
 * @param fromLanding the factor before where the teacher landed
 */
public record ProgressiveTarget(double fromState, double fromLanding) {

    /**
     * The target of a student.
     *
     * @param prediction what the student's output means
     * @param t where it starts
     * @param s where the teacher landed, at less or more noise
     */
    public static ProgressiveTarget of(Prediction prediction, TimeGrid.Point t, TimeGrid.Point s) {
        double turned = t.sigma() * s.alpha() - t.alpha() * s.sigma();
        if (turned == 0) {
            throw new IllegalArgumentException("a step from time " + t.time() + " to time " + s.time()
                    + " does not change the noise level, so that no target lands there; expected two levels");
        }
        double x0 = prediction.targetFromX0(t.alpha(), t.sigma());
        double eps = prediction.targetFromEps(t.alpha(), t.sigma());
        return new ProgressiveTarget(
                (eps * s.alpha() - x0 * s.sigma()) / turned, (x0 * t.sigma() - eps * t.alpha()) / turned);
    }
}
