package dev.retort.distill.step;

import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.report.TrainingMetric;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * The critic's part of an adversarial game: mean over its heads and tokens of softplus(logit of what is made) + softplus(-logit of what is real),
 * plus γ times the squared change of each logit of what is real under a little noise over that noise's variance, which stands for the gradient penalty R1
 * (Lin et al. 2025, APT, equation 7) where no second derivative can be had.
 */
public final class CriticLoss implements Loss {
    private static final double SHAKE = 0.01;

    private final CriticInput input;
    private final double penalty;

    /** @param penalty the γ, 0 for none */
    public CriticLoss(CriticInput input, double penalty) {
        this.input = input;
        this.penalty = penalty;
    }

    @Override
    public String name() {
        return TrainingMetric.CRITIC;
    }

    @Override
    public Tensor perSample(Pass pass) {
        CriticInput.Example made = input.generated(pass, Gradient.NONE);
        CriticInput.Example real = input.real(pass);
        Tensor ofReal = logits(pass, real.x(), real);
        Tensor loss = Ops.meanPerSample(
                Distances.softplus(logits(pass, made.x(), made)).add(Distances.softplus(Ops.mul(ofReal, -1))));
        if (penalty == 0) {
            return loss;
        }
        Tensor x = real.x();
        Tensor noise = pass.draws("critic").gaussian(x.size(1), x.size(2), x.size(3));
        Tensor still = Ops.mul(x.narrow(0, noise.size(0), x.size(0) - noise.size(0)), 0); // what pairs came from
        Tensor change = logits(pass, Ops.addScaled(x, Ops.cat(0, noise, still), SHAKE), real)
                .sub(ofReal);
        return loss.add(Ops.mul(Ops.meanPerSample(change.square()), penalty / (SHAKE * SHAKE)));
    }

    private static Tensor logits(Pass pass, Tensor x, CriticInput.Example at) {
        return pass.ask(pass.player(), new Question(x, at.times(), at.condition(), Gradient.PARAMETERS))
                .output();
    }
}
