package dev.retort.distill;

import dev.retort.card.ProcessSpec;
import dev.retort.config.Require;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.distill.step.ContinuousConsistencyLoss;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.train.Loss;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Consistency in continuous time (sCM): what the student says x0 is stays the same along a path ({@link ContinuousConsistencyLoss}).
 *
 * @param distil let the teacher lead the path (sCD), instead of the image and its noise (sCT)
 * @param timeMean logit-normal times; above 0 favours noise. The logit of a flow's time is ln(sigma / alpha), so the paper's -1 and 1.4 are just these
 * @param timeStd their spread, of the logit
 * @param sigmaData standard deviation of the data
 * @param warmUp share of the stage over which the derivative comes to count, evenly; 0 where it does from the start
 * @param step of the derivative's central difference, as a part of the way from image to noise; 0 for the exact derivative
 */
public record ContinuousConsistency(
        LossWeight weight,
        boolean distil,
        double timeMean,
        double timeStd,
        double sigmaData,
        double warmUp,
        double step)
        implements JumpLoss {
    /** Validates. */
    public ContinuousConsistency {
        Require.positive("timeStd", timeStd);
        Require.positive("sigmaData", sigmaData);
        Require.between("warmUp", warmUp, 0, 1);
        Require.between("step", step, 0, 0.001);
    }

    /** What a configuration may leave out. */
    public static Map<String, ?> defaults() {
        Map<String, Object> defaults = new HashMap<>();
        defaults.put("distil", false);
        defaults.put("timeMean", -1);
        defaults.put("timeStd", 1.4);
        defaults.put("sigmaData", 0.5);
        defaults.put("warmUp", 0.1);
        defaults.put("step", 0);
        return defaults;
    }

    @Override
    public boolean takesDerivative() {
        return true;
    }

    @Override
    public void requireFit(Recipe recipe) {
        ProcessSpec process = recipe.objective().process();
        if (process.prediction() != Prediction.FLOW || !(process.noiseSchedule() instanceof FlowLinear)) {
            throw new RetortException(
                    Kind.CONFIG,
                    type()
                            + " needs an objective of type flow: it takes the derivative by time, and a network of the schedule "
                            + process.schedule().text() + " knows whole times alone; use consistency there");
        }
    }

    @Override
    public Loss build(BuildContext players) {
        return new ContinuousConsistencyLoss(
                distil ? Optional.of(players.teacher()) : Optional.empty(),
                players.schedule(),
                new TimeSampler.LogitNormal(timeMean, timeStd),
                sigmaData,
                warmUp,
                step);
    }
}
