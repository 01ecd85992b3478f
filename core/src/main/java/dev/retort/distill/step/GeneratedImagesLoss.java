package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/** The plain training loss on the images that a student makes: what the fake of distribution matching learns. */
public final class GeneratedImagesLoss implements Loss {
    private final Simulation simulation;
    private final Renoised renoised;
    private final NoiseSchedule schedule;
    private final Prediction space;

    /**
     * @param simulation what the student makes
     * @param renoised how it is noised
     * @param schedule that of the noise
     * @param space prediction in which the error is measured
     */
    public GeneratedImagesLoss(Simulation simulation, Renoised renoised, NoiseSchedule schedule, Prediction space) {
        this.simulation = simulation;
        this.renoised = renoised;
        this.schedule = schedule;
        this.space = space;
    }

    @Override
    public String name() {
        return "made-images";
    }

    @Override
    public Tensor perSample(Pass pass) {
        NoisyBatch noisy = renoised.of(simulation.x0(pass, Gradient.NONE), pass.condition(), pass, name());
        Question question = new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.PARAMETERS);
        return DiffusionLoss.squaredError(pass.ask(pass.player(), question), noisy, space, schedule);
    }
}
