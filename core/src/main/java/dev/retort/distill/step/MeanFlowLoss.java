package dev.retort.distill.step;

import dev.retort.card.Part;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.MeanVelocityTarget;
import dev.retort.diffusion.step.Tangents;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Question.Tangent;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Draws;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * A flow map by the identity of mean velocities (Geng et al. 2025, MeanFlow), with the teacher's velocity V: u(x, t, r) is to be
 * sg (V - (t - r) du/dt), du/dt along (V, 1, 0) in (x, t, r); at r = t that is V. The squared error of an image is weighted by itself
 * ({@link Tangents#adaptiveWeight}).
 */
public final class MeanFlowLoss implements Loss {
    private final String teacher;
    private final NoiseSchedule schedule;
    private final Times times;
    private final double step;
    private final double power;
    private final double constant;

    /**
     * Which times are asked about.
     *
     * @param still share of images of which it learns what V is
     * @param sampler of the two times of the others, the later of which is t
     */
    public record Times(double still, TimeSampler sampler) {}

    /**
     * @param teacher name of the player that knows V
     * @param schedule of a flow
     * @param step of the derivative's central difference, as a part of the way from image to noise; 0 for the exact derivative
     * @param power of the adaptive weight; 0 for the plain squared error
     * @param constant in the adaptive weight
     */
    public MeanFlowLoss(
            String teacher, NoiseSchedule schedule, Times times, double step, double power, double constant) {
        this.teacher = teacher;
        this.schedule = schedule;
        this.times = times;
        this.step = step;
        this.power = power;
        this.constant = constant;
    }

    @Override
    public String name() {
        return "mean-flow";
    }

    @Override
    public Tensor perSample(Pass pass) {
        Draws draws = pass.draws(name());
        double[] kind = draws.uniform();
        double[] one = draws.each(rng -> times.sampler.sample(schedule, rng));
        double[] other = draws.each(rng -> times.sampler.sample(schedule, rng));
        double[] t = new double[one.length];
        double[] r = new double[one.length];
        for (int i = 0; i < t.length; i++) {
            boolean still = kind[i] < times.still;
            t[i] = still ? one[i] : Math.max(one[i], other[i]);
            r[i] = still ? one[i] : Math.min(one[i], other[i]);
        }
        return at(pass, t, r);
    }

    /** The loss between given times. */
    Tensor at(Pass pass, double[] t, double[] r) {
        NoisyBatch noisy = pass.noisy(t);
        return Partition.of(t.length, i -> r[i] == t[i])
                .losses(
                        still -> loss(pass, Transition.of(noisy, still, t, r), true),
                        moving -> loss(pass, Transition.of(noisy, moving, t, r), false));
    }

    private Tensor loss(Pass pass, Transition at, boolean still) {
        Condition told = at.condition().with(Part.END_TIME, at.s());
        Tensor velocity = pass.ask(teacher, new Question(at.x(), at.t(), at.condition(), Gradient.NONE))
                .as(Prediction.FLOW);
        Tensor target = still ? velocity : target(pass, at, told, velocity);
        Tensor u = pass.ask(pass.player(), new Question(at.x(), at.t(), told, Gradient.PARAMETERS))
                .as(Prediction.FLOW);
        Tensor squared = Ops.sum(Ops.flatten(u.sub(target).square(), 1, -1), 1, false);
        float[] sums = Tensors.floats(squared);
        double[] weights = new double[sums.length];
        Arrays.setAll(weights, i -> Tangents.adaptiveWeight(sums[i], constant, power));
        return squared.mul(Tensors.of(weights, Device.of(squared)));
    }

    private Tensor target(Pass pass, Transition at, Condition told, Tensor velocity) {
        double unit = schedule.noisiestTime();
        double[] faster = new double[at.t().length];
        Arrays.fill(faster, unit);
        Question question =
                new Question(at.x(), at.t(), told, Gradient.NONE).along(new Tangent(velocity, faster, step));
        double[] factors = new double[faster.length];
        Arrays.setAll(factors, i -> MeanVelocityTarget.between(at.t()[i] / unit, at.s()[i] / unit, 1)
                .fromDerivative());
        Tensor derivative = pass.ask(pass.player(), question).tangent();
        return velocity.add(derivative.mul(Tensors.column(factors, derivative)));
    }
}
