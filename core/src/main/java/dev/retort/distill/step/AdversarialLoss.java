package dev.retort.distill.step;

import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * The student's part of an adversarial game, non-saturating (Goodfellow et al. 2014): mean over the critic's heads of
 * softplus(-logit) on the noised images that the student makes.
 */
public final class AdversarialLoss implements Loss {
    static final String RENOISED = "adversarial";
    private final Simulation simulation;
    private final String critic;
    private final Renoised renoised;

    /**
     * @param simulation what the student makes
     * @param critic name of the player that judges it
     * @param renoised how it is shown
     */
    public AdversarialLoss(Simulation simulation, String critic, Renoised renoised) {
        this.simulation = simulation;
        this.critic = critic;
        this.renoised = renoised;
    }

    @Override
    public String name() {
        return "adversarial";
    }

    @Override
    public Tensor perSample(Pass pass) {
        Tensor made = simulation.x0(pass, Gradient.PARAMETERS);
        NoisyBatch noisy = renoised.of(made, pass.condition(), pass, RENOISED);
        Question question = new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.THROUGH);
        return Ops.meanPerSample(
                Distances.softplus(Ops.mul(pass.ask(critic, question).output(), -1)));
    }
}
