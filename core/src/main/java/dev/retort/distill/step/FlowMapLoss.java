package dev.retort.distill.step;

import dev.retort.card.Part;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Draws;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/**
 * A flow map by Lagrangian self-distillation (Boffi, Albergo and Vanden-Eijnden 2025): a student u that is told two times is to lead
 * from the state x at t to where the flow comes to at an earlier s, X_s(x) = x - (t - s) u(x, t, s). Times are parts of the way here, 0
 * clean and 1 noise. Of an image it learns either that X moves on with the flow's velocity V, d(∂X_s/∂s, sg V(sg X_s, s)), or what V is
 * where nothing moves, d(u(x, t, t), V(x, t)). The distance d is pseudo-Huber on the root of the mean square: near the clean end V is as
 * steep as the image is far from any that there is, and squares of that would outweigh all else.
 *
 * <p>The derivative is a central difference with a graph through both of its sides; it is by the end time alone, so any attention will do.
 */
public final class FlowMapLoss implements Loss {
    private final String teacher;
    private final boolean self;
    private final NoiseSchedule schedule;
    private final Times times;
    private final PseudoHuber distance;

    /**
     * Which times are asked about.
     *
     * @param still share of images of which it learns what V is
     * @param pureNoise share of the others that start from noise, as the sampler does; the rest starts anywhere
     * @param step distance in s of each side of the difference
     */
    public record Times(double still, double pureNoise, double step) {}

    /**
     * @param teacher name of the player that knows V
     * @param self let the student itself say what V is at the end of a step, by u(x, s, s)
     * @param schedule of a flow
     * @param distance of an image's root mean square
     */
    public FlowMapLoss(String teacher, boolean self, NoiseSchedule schedule, Times times, PseudoHuber distance) {
        this.teacher = teacher;
        this.self = self;
        this.schedule = schedule;
        this.times = times;
        this.distance = distance;
    }

    @Override
    public String name() {
        return "flow-map";
    }

    @Override
    public Tensor perSample(Pass pass) {
        Draws draws = pass.draws(name());
        double[] kind = draws.uniform();
        double h = times.step;
        double[] t = draws.each(rng -> {
            boolean noise = rng.nextDouble() < times.pureNoise;
            double anywhere = 2 * h + (1 - 2 * h) * rng.nextDouble();
            return noise ? 1 : anywhere;
        });
        double[] s = draws.uniform();
        for (int i = 0; i < s.length; i++) {
            s[i] = h + (t[i] - 2 * h) * s[i]; // both sides of the difference lie between t and the clean end
        }
        NoisyBatch noisy = pass.noisy(told(t));
        return Partition.of(kind.length, i -> kind[i] < times.still)
                .losses(
                        still -> still(pass, Transition.of(noisy, still, t, t)),
                        moving -> moving(pass, Transition.of(noisy, moving, t, s)));
    }

    private Tensor still(Pass pass, Transition at) {
        Tensor u = mean(pass, at, at.t(), Gradient.PARAMETERS);
        return far(u, velocity(pass, teacher, at.x(), at.t(), at.condition()));
    }

    private Tensor moving(Pass pass, Transition at) {
        double h = times.step;
        Tensor slope = Ops.mul(
                landed(pass, at, h, Gradient.PARAMETERS).sub(landed(pass, at, -h, Gradient.PARAMETERS)), 1 / (2 * h));
        Tensor end = landed(pass, at, 0, Gradient.NONE);
        Tensor velocity = self
                ? velocity(pass, pass.player(), end, at.s(), at.condition().with(Part.END_TIME, told(at.s())))
                : velocity(pass, teacher, end, at.s(), at.condition());
        return far(slope, velocity);
    }

    private Tensor far(Tensor said, Tensor wanted) {
        return Distances.pseudoHuber(Ops.meanPerSample(said.sub(wanted).square()), distance);
    }

    /** X where the step ends later by so much. */
    private Tensor landed(Pass pass, Transition from, double later, Gradient gradient) {
        double[] end = Arrays.stream(from.s()).map(s -> s + later).toArray();
        double[] way = new double[end.length];
        Arrays.setAll(way, i -> from.t()[i] - end[i]);
        return from.x().sub(mean(pass, from, end, gradient).mul(Tensors.column(way, from.x())));
    }

    /** u, the student's mean velocity. */
    private Tensor mean(Pass pass, Transition from, double[] end, Gradient gradient) {
        Condition condition = from.condition().with(Part.END_TIME, told(end));
        return velocity(pass, pass.player(), from.x(), from.t(), condition, gradient);
    }

    private Tensor velocity(Pass pass, String player, Tensor x, double[] t, Condition condition) {
        return velocity(pass, player, x, t, condition, Gradient.NONE);
    }

    private Tensor velocity(Pass pass, String player, Tensor x, double[] t, Condition condition, Gradient gradient) {
        return pass.ask(player, new Question(x, told(t), condition, gradient)).as(Prediction.FLOW);
    }

    /** In the networks' units. */
    private double[] told(double[] parts) {
        return Arrays.stream(parts).map(part -> part * schedule.noisiestTime()).toArray();
    }
}
