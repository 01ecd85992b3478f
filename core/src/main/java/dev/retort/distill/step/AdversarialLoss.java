package dev.retort.distill.step;

import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * The student's part of an adversarial game, non-saturating (Goodfellow et al. 2014): mean over the critic's heads of
 * softplus(-logit) on what the student makes.
 */
public final class AdversarialLoss implements Loss {
    private final CriticInput input;
    private final String critic;

    /** @param critic name of the player that judges what the student makes */
    public AdversarialLoss(CriticInput input, String critic) {
        this.input = input;
        this.critic = critic;
    }

    @Override
    public String name() {
        return input.name();
    }

    @Override
    public Tensor perSample(Pass pass) {
        Question made = input.generated(pass, Gradient.PARAMETERS).asked(Gradient.THROUGH);
        return Ops.meanPerSample(
                Distances.softplus(Ops.mul(pass.ask(critic, made).output(), -1)));
    }
}
