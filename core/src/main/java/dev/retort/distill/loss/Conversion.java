package dev.retort.distill.loss;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.torch.Device;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import org.bytedeco.pytorch.Tensor;

/** Turns a network's output into another prediction of the same noisy images; each is linear in (x, output). */
record Conversion(NoiseSchedule schedule, Prediction from, Prediction to) {
    /** output (N, ≥C, H, W), its first C channels predicting {@code from} → (N, C, H, W) predicting {@code to}. */
    Tensor apply(Tensor output, NoisyBatch batch) {
        Tensor mean = output.narrow(1, 0, batch.clean().size(1));
        if (from == to) {
            return mean;
        }
        double[] ofState = new double[batch.count()];
        double[] ofOutput = new double[batch.count()];
        for (int i = 0; i < ofState.length; i++) {
            double alpha = schedule.alpha(batch.times()[i]);
            double sigma = schedule.sigma(batch.times()[i]);
            ofState[i] = to.fromState(from, alpha, sigma);
            ofOutput[i] = to.fromOutput(from, alpha, sigma);
        }
        Device device = Device.of(output);
        return batch.noisy()
                .mul(Tensors.of(ofState, device).view(-1, 1, 1, 1))
                .add(mean.mul(Tensors.of(ofOutput, device).view(-1, 1, 1, 1)));
    }
}
