package dev.retort.distill.step;

import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.report.TrainingMetric;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * The critic's part of an adversarial game: mean over its heads and tokens of softplus(logit of a made image) + softplus(-logit of a real one),
 * plus γ times the squared change of each logit of the real image under a little noise over that noise's variance, which stands for the gradient penalty R1
 * (Lin et al. 2025, APT, equation 7) where no second derivative can be had.
 */
public final class CriticLoss implements Loss {
    private static final double SHAKE = 0.01;

    private final Simulation simulation;
    private final Renoised renoised;
    private final double penalty;

    /**
     * @param simulation what the student makes
     * @param renoised how images are shown; real and made ones with the same noise
     * @param penalty the γ, 0 for none
     */
    public CriticLoss(Simulation simulation, Renoised renoised, double penalty) {
        this.simulation = simulation;
        this.renoised = renoised;
        this.penalty = penalty;
    }

    @Override
    public String name() {
        return TrainingMetric.CRITIC;
    }

    @Override
    public Tensor perSample(Pass pass) {
        NoisyBatch made =
                renoised.of(simulation.x0(pass, Gradient.NONE), pass.condition(), pass, AdversarialLoss.RENOISED);
        NoisyBatch real = renoised.of(pass.clean(), pass.condition(), pass, AdversarialLoss.RENOISED);
        Tensor ofReal = logits(pass, real.noisy(), real);
        Tensor loss = Ops.meanPerSample(
                Distances.softplus(logits(pass, made.noisy(), made)).add(Distances.softplus(Ops.mul(ofReal, -1))));
        if (penalty == 0) {
            return loss;
        }
        Tensor noise = pass.draws("critic")
                .gaussian(
                        real.clean().size(1), real.clean().size(2), real.clean().size(3));
        Tensor change =
                logits(pass, Ops.addScaled(real.noisy(), noise, SHAKE), real).sub(ofReal);
        return loss.add(Ops.mul(Ops.meanPerSample(change.square()), penalty / (SHAKE * SHAKE)));
    }

    private static Tensor logits(Pass pass, Tensor x, NoisyBatch at) {
        return pass.ask(pass.player(), new Question(x, at.times(), at.condition(), Gradient.PARAMETERS))
                .output();
    }
}
