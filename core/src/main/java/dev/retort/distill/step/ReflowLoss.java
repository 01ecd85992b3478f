package dev.retort.distill.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.train.DiffusionLoss;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/**
 * Reflow (Liu et al. 2023): the plain loss on pairs of a trajectory's noise and its end instead of a random pairing, which straightens
 * the paths that the student takes.
 */
public final class ReflowLoss implements Loss {
    private final CachedStates cache;
    private final NoiseSchedule schedule;
    private final Prediction space;
    private final TimeSampler times;
    private final double startScale;

    /**
     * @param schedule how images are noised
     * @param space prediction in which the error is measured
     * @param times where between noise and end
     */
    public ReflowLoss(CachedStates cache, NoiseSchedule schedule, Prediction space, TimeSampler times) {
        this.cache = cache;
        this.schedule = schedule;
        this.space = space;
        this.times = times;
        startScale = schedule.sigma(cache.time(0));
    }

    @Override
    public String name() {
        return "reflow";
    }

    @Override
    public boolean asksAboutImages() {
        return false;
    }

    @Override
    public Tensor perSample(Pass pass) {
        CachedStates.Drawn drawn = cache.draw(pass);
        double[] at = pass.draws(name()).each(rng -> times.sample(schedule, rng));
        NoisyBatch noisy = NoisyBatch.of(
                drawn.states(i -> cache.last()),
                Ops.mul(drawn.states(i -> 0), 1 / startScale),
                at,
                schedule,
                drawn.condition());
        Question question = new Question(noisy.noisy(), at, noisy.condition(), Gradient.PARAMETERS);
        return DiffusionLoss.squaredError(pass.ask(pass.player(), question), noisy, space, schedule);
    }
}
