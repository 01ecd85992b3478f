package dev.retort.train;

import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.GaussianPosterior;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Answer;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import org.bytedeco.pytorch.Tensor;

/**
 * The variational bound that trains learned variances (Nichol and Dhariwal 2021, eq. 15 and 16): KL(q(x_{t-1}|x_t, x0) ‖ p)
 * in bits per dimension, at t = 0 the likelihood of 8-bit pixels; the predicted mean is detached.
 */
final class VariationalBound {
    private static final double LN2 = Math.log(2);
    private final DiscreteSchedule table;

    VariationalBound(NoiseSchedule schedule) {
        if (!(schedule instanceof DiscreteSchedule discrete)) {
            throw new IllegalArgumentException("learnSigma needs a schedule with a table of steps, such as linear");
        }
        table = discrete;
    }

    /** Of an answer with variance channels to the noisy images → (N). */
    Tensor perSample(Answer answer, NoisyBatch batch) {
        int n = batch.count();
        double[] meanFromX0 = new double[n];
        double[] meanFromState = new double[n];
        double[] logBeta = new double[n];
        double[] logBetaTilde = new double[n];
        double[] first = new double[n];
        for (int i = 0; i < n; i++) {
            int t = (int) batch.times()[i];
            GaussianPosterior posterior = posterior(t);
            meanFromX0[i] = posterior.meanFromX0();
            meanFromState[i] = posterior.meanFromState();
            logBeta[i] = Math.log(posterior.beta());
            logBetaTilde[i] = GaussianPosterior.clippedLogVariance(posterior, posterior(Math.max(t, 1)));
            first[i] = t == 0 ? 1 : 0;
        }
        Tensor tilde = Tensors.column(logBetaTilde, batch.noisy());
        Tensor f = answer.variance();
        Tensor logVariance =
                f.mul(Tensors.column(logBeta, batch.noisy()).sub(tilde)).add(tilde); // f logβ + (1-f) log β̃
        Tensor x0 = answer.as(Prediction.X0).detach();
        Tensor mean = mean(x0, batch, meanFromX0, meanFromState);
        Tensor trueMean = mean(batch.clean(), batch, meanFromX0, meanFromState);
        // ½(-1 + Δlog + exp(-Δlog) + (Δμ)²/σ²)
        Tensor difference = logVariance.sub(tilde);
        Tensor kl = Ops.mul(
                Ops.add(difference, -1)
                        .add(difference.neg().exp())
                        .add(trueMean.sub(mean).square().mul(logVariance.neg().exp())),
                0.5);
        Tensor likelihood = negativeLogLikelihood(batch.clean(), mean, Ops.mul(logVariance, 0.5));
        Tensor isFirst = Tensors.of(first, Device.of(batch.clean()));
        Tensor klBits = Ops.mul(Ops.meanPerSample(kl), 1 / LN2);
        Tensor firstBits = Ops.mul(Ops.meanPerSample(likelihood), 1 / LN2);
        return klBits.mul(Ops.add(isFirst.neg(), 1)).add(firstBits.mul(isFirst));
    }

    private GaussianPosterior posterior(int t) {
        return new GaussianPosterior(table.point(t), table.point(t - 1));
    }

    private static Tensor mean(Tensor x0, NoisyBatch batch, double[] meanFromX0, double[] meanFromState) {
        return x0.mul(Tensors.column(meanFromX0, batch.noisy()))
                .add(batch.noisy().mul(Tensors.column(meanFromState, batch.noisy())));
    }

    /** -log P of x rounded to one of 256 levels under N(mean, exp(2 logScale)), the outer levels open-ended. */
    private static Tensor negativeLogLikelihood(Tensor x, Tensor mean, Tensor logScale) {
        Tensor centred = x.sub(mean);
        Tensor inverse = logScale.neg().exp();
        Tensor above = normalCdf(inverse.mul(Ops.add(centred, 1.0 / 255)));
        Tensor below = normalCdf(inverse.mul(Ops.add(centred, -1.0 / 255)));
        Tensor logAbove = Ops.clamp(above, 1e-12, 2).log();
        Tensor logOneMinusBelow = Ops.clamp(Ops.add(below.neg(), 1), 1e-12, 2).log();
        Tensor inside = Ops.clamp(above.sub(below), 1e-12, 2).log();
        Tensor upper = Ops.where(Ops.greater(x, 0.999), logOneMinusBelow, inside);
        return Ops.where(Ops.greater(x.neg(), 0.999), logAbove, upper).neg();
    }

    /** The tanh approximation of the normal distribution function. */
    private static Tensor normalCdf(Tensor z) {
        Tensor inner = z.add(Ops.mul(z.mul(z).mul(z), 0.044715));
        return Ops.mul(Ops.add(Ops.mul(inner, Math.sqrt(2 / Math.PI)).tanh(), 1), 0.5);
    }
}
