package dev.retort.train;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Weighting;
import dev.retort.model.Answer;
import dev.retort.report.TrainingMetric;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * The plain training loss: weighted squared error of the prediction, and for networks with variance channels the
 * variational bound with the mean detached (Nichol and Dhariwal 2021).
 */
public final class DiffusionLoss implements Loss {
    private final NoiseSchedule schedule;
    private final Prediction prediction;
    private final Weighting weighting;
    private final VariationalBound bound;

    /** The loss of an objective. */
    public DiffusionLoss(Objective objective) {
        schedule = objective.process().noiseSchedule();
        prediction = objective.process().prediction();
        weighting = objective.weighting();
        bound = objective.learnSigma() ? new VariationalBound(schedule) : null;
    }

    @Override
    public String name() {
        return TrainingMetric.DIFFUSION;
    }

    @Override
    public Tensor perSample(Pass pass) {
        NoisyBatch noisy = pass.noisy(pass.player());
        Answer answer = pass.ask(pass.player());
        Tensor mse = squaredError(answer, noisy, prediction, schedule);
        Tensor loss = weighting.equals(Weighting.SIMPLE) ? mse : mse.mul(weights(noisy.times(), Device.of(mse)));
        return bound == null ? loss : loss.add(bound.perSample(answer, noisy));
    }

    /**
     * How far an answer is from what a perfect network would say.
     *
     * @param space prediction in which the error is measured
     * @return mean of its square (N)
     */
    public static Tensor squaredError(Answer answer, NoisyBatch noisy, Prediction space, NoiseSchedule schedule) {
        return Ops.meanPerSample(
                answer.as(space).sub(noisy.target(space, schedule)).square());
    }

    private Tensor weights(double[] times, Device device) {
        double[] weights = new double[times.length];
        for (int i = 0; i < times.length; i++) {
            weights[i] = weighting.weight(prediction, schedule, times[i]);
        }
        return Tensors.of(weights, device);
    }
}
