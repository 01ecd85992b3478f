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
 * Distribution matching by score identity (Zhou et al. 2024, SiD), in x0: images x that the student makes are noised, and with what the teacher and the network that knows the
 * student's images ("fake") say of them, r and f, the loss of an image is w·mean (r - f)(r - x - alpha (r - f)) ({@link ScoreIdentity}), w =
 * 1 / mean |r - x| without gradient. The gradient goes through r and f as well.
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
