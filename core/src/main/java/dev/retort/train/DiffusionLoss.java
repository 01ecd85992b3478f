package dev.retort.train;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Weighting;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * The plain training loss: weighted squared error of the prediction, and for networks with variance channels the
 * variational bound with the mean detached (Nichol and Dhariwal 2021).
 */
public final class DiffusionLoss implements LossTerm {
    private final NoiseSchedule schedule;
    private final Prediction prediction;
    private final Weighting weighting;
    private final VariationalBound bound;

    /** The loss of an objective. */
    public DiffusionLoss(Objective objective) {
        schedule = objective.process().noiseSchedule();
        prediction = objective.process().prediction();
        weighting = objective.weighting();
        bound = objective.learnSigma() ? new VariationalBound(schedule, prediction) : null;
    }

    @Override
    public String name() {
        return "diffusion";
    }

    @Override
    public Tensor perSample(Tensor output, Taps taps, NoisyBatch batch) {
        Tensor mean = output.narrow(1, 0, batch.clean().size(1));
        Tensor mse = Ops.meanPerSample(mean.sub(target(batch)).square()); // (N)
        Tensor loss = weighting.equals(Weighting.SIMPLE) ? mse : mse.mul(weights(batch.times(), Device.of(mse)));
        return bound == null ? loss : loss.add(bound.perSample(output, batch));
    }

    /** What a perfect network would return (N, C, H, W). */
    public Tensor target(NoisyBatch batch) {
        double[] ofClean = new double[batch.count()];
        double[] ofNoise = new double[batch.count()];
        for (int i = 0; i < batch.count(); i++) {
            double alpha = schedule.alpha(batch.times()[i]);
            double sigma = schedule.sigma(batch.times()[i]);
            ofClean[i] = prediction.targetFromX0(alpha, sigma);
            ofNoise[i] = prediction.targetFromEps(alpha, sigma);
        }
        Device device = Device.of(batch.clean());
        Tensor p = Tensors.of(ofClean, device).view(-1, 1, 1, 1);
        Tensor q = Tensors.of(ofNoise, device).view(-1, 1, 1, 1);
        return batch.clean().mul(p).add(batch.noise().mul(q));
    }

    private Tensor weights(double[] times, Device device) {
        double[] weights = new double[times.length];
        for (int i = 0; i < times.length; i++) {
            weights[i] = weighting.weight(prediction, schedule, times[i]);
        }
        return Tensors.of(weights, device);
    }
}
