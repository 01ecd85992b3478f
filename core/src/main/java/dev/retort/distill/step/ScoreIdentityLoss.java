package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.ScoreIdentity;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * Distribution matching by score identity (Zhou et al. 2024, SiD), in x0: images that the student makes are noised, and their mean of {@link ScoreIdentity} is made small, with gradients
 * through what the teacher and the fake say of them.
 */
public final class ScoreIdentityLoss implements Loss {
    private final Simulation simulation;
    private final String teacher;
    private final String fake;
    private final Renoised renoised;
    private final ScoreIdentity identity;

    /**
     * @param simulation what the student makes
     * @param teacher name of the player that knows the data
     * @param fake name of the player that knows what the student makes
     * @param renoised how they are shown its images
     */
    public ScoreIdentityLoss(
            Simulation simulation, String teacher, String fake, Renoised renoised, ScoreIdentity identity) {
        this.simulation = simulation;
        this.teacher = teacher;
        this.fake = fake;
        this.renoised = renoised;
        this.identity = identity;
    }

    @Override
    public String name() {
        return "distribution-matching";
    }

    @Override
    public Tensor perSample(Pass pass) {
        Tensor made = simulation.x0(pass, Gradient.PARAMETERS);
        NoisyBatch noisy = renoised.of(made, pass.condition(), pass, DistributionMatchingLoss.RENOISED);
        Question question = new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.THROUGH);
        Tensor real = pass.ask(teacher, question).as(Prediction.X0);
        Tensor gap = real.sub(pass.ask(fake, question).as(Prediction.X0));
        Tensor far = real.sub(made);
        return Ops.meanPerSample(gap.mul(Ops.addScaled(far, gap, -identity.alpha())))
                .mul(DistributionMatchingLoss.weights(far.detach()));
    }
}
