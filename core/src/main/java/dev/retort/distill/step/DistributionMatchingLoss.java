package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.DistributionMatching;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Distribution matching (Yin et al. 2024, DMD, equation 7, and DMD2), in x0: images x that the student makes are noised; where the
 * teacher and a network that knows the student's images ("fake") differ on them, x is pulled from what the fake says towards what the
 * teacher says, by the gradient w·(fake - teacher) ({@link DistributionMatching}), in f-distill times a weight of the density ratio there ({@link DensityWeight}).
 */
public final class DistributionMatchingLoss implements Loss {
    static final String RENOISED = "distribution-matching";
    private final Simulation simulation;
    private final String teacher;
    private final String fake;
    private final Renoised renoised;
    private final Optional<DensityWeight> density;

    /**
     * @param simulation what the student makes
     * @param teacher name of the player that knows the data
     * @param fake name of the player that knows what the student makes
     * @param renoised how they are shown its images
     * @param density how images count; empty for the reverse Kullback-Leibler divergence, in which all do alike
     */
    public DistributionMatchingLoss(
            Simulation simulation, String teacher, String fake, Renoised renoised, Optional<DensityWeight> density) {
        this.simulation = simulation;
        this.teacher = teacher;
        this.fake = fake;
        this.renoised = renoised;
        this.density = density;
    }

    @Override
    public String name() {
        return "distribution-matching";
    }

    @Override
    public Tensor perSample(Pass pass) {
        Tensor made = simulation.x0(pass, Gradient.PARAMETERS);
        NoisyBatch noisy = renoised.of(made.detach(), pass.condition(), pass, RENOISED);
        Question question = new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.NONE);
        return pull(
                made,
                pass.ask(teacher, question).as(Prediction.X0),
                pass.ask(fake, question).as(Prediction.X0),
                density.map(by -> by.of(pass, noisy)));
    }

    /**
     * ½·mean of the squared pull for each image, whose gradient to {@code made} is the pull over the values of an image.
     *
     * @param scale what the pull of each image is multiplied with (N, 1, 1, 1)
     */
    static Tensor pull(Tensor made, Tensor real, Tensor fake, Optional<Tensor> scale) {
        Tensor constant = made.detach();
        Tensor weights = Ops.view(weights(constant.sub(real)), -1, 1, 1, 1);
        Tensor gradient = fake.sub(real).mul(scale.map(weights::mul).orElse(weights));
        return Ops.mul(Ops.meanPerSample(made.sub(constant.sub(gradient)).square()), 0.5);
    }

    /** {@link DistributionMatching#weight} of each image (N), of what lies between its values and the teacher's. */
    static Tensor weights(Tensor far) {
        // stays where it is: nothing is read back
        return Ops.add(Ops.meanPerSample(far.abs()), DistributionMatching.LEAST).reciprocal();
    }
}
