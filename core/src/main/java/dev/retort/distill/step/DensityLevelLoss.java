package dev.retort.distill.step;

import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * What {@link DensityLevels} learn: half the squared distance to the density ratio that a critic says of an image of the student's. The mean
 * ratio makes it least.
 */
public final class DensityLevelLoss implements Loss {
    private final Simulation simulation;
    private final Renoised renoised;
    private final String critic;

    /**
     * @param simulation what the student makes
     * @param renoised how the critic is shown it: as {@link DistributionMatchingLoss} shows it, with the same noise
     * @param critic name of the player that tells real images from made ones
     */
    public DensityLevelLoss(Simulation simulation, Renoised renoised, String critic) {
        this.simulation = simulation;
        this.renoised = renoised;
        this.critic = critic;
    }

    @Override
    public String name() {
        return "density-level";
    }

    @Override
    public Tensor perSample(Pass pass) {
        NoisyBatch noisy = renoised.of(
                simulation.x0(pass, Gradient.NONE), pass.condition(), pass, DistributionMatchingLoss.RENOISED);
        Tensor level = pass.ask(
                        pass.player(),
                        new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.PARAMETERS))
                .output();
        Tensor ratio = Tensors.of(DensityWeight.ratios(pass, critic, noisy), Device.of(level));
        return Ops.mul(level.sub(ratio).square(), 0.5);
    }
}
