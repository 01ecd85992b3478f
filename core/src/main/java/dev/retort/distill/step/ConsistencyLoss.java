package dev.retort.distill.step;

import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.TimeSampler;
import dev.retort.diffusion.step.ConsistencyWeight;
import dev.retort.diffusion.step.EarlierTime;
import dev.retort.diffusion.step.PseudoHuber;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.Clock;
import dev.retort.train.Loss;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * Consistency (Song et al. 2023; tuning of a trained network as in Geng et al. 2024, ECT): what the student says x0 is at a time t is
 * to be what it says at an earlier r on the same path: w(t, r)·d(‖x0(x_t, t) - sg x0(x_r, r)‖), d pseudo-Huber. In training, x_r is
 * the image with the same noise; in distillation, where the teacher comes to from x_t. The gap closes as the stage goes on.
 */
public final class ConsistencyLoss implements Loss {
    private final String target;
    private final Optional<String> teacher;
    private final NoiseSchedule schedule;
    private final Times times;
    private final Gap gap;
    private final PseudoHuber distance;
    private final ConsistencyWeight weight;

    /**
     * Which times t are asked about.
     *
     * @param sampler how they are drawn
     * @param pureNoise share of images asked about at the noisiest time instead, where few-step sampling begins
     */
    public record Times(TimeSampler sampler, double pureNoise) {
        double sample(NoiseSchedule schedule, Rng rng) {
            boolean noise = rng.nextDouble() < pureNoise;
            return noise ? schedule.noisiestTime() : sampler.sample(schedule, rng);
        }
    }

    /**
     * How near r is to t: about t/q, q growing geometrically over the stage in equal stretches.
     *
     * @param from the first q, above 1
     * @param to the last
     * @param stretches how many there are
     */
    public record Gap(double from, double to, int stretches) {
        EarlierTime at(Clock clock) {
            int stretch = Math.min(stretches - 1, (int) (clock.stage() * stretches));
            double q = stretches == 1 ? to : from * Math.pow(to / from, (double) stretch / (stretches - 1));
            return EarlierTime.ofStage(q, 0);
        }
    }

    /**
     * @param target name of the player that says what x0 is at r: the student itself, or an average of it
     * @param teacher name of the player that leads to x_r by a step of DDIM; nobody in consistency training
     * @param schedule how images are noised
     * @param distance of an image's norm
     */
    public ConsistencyLoss(
            String target,
            Optional<String> teacher,
            NoiseSchedule schedule,
            Times times,
            Gap gap,
            PseudoHuber distance,
            ConsistencyWeight weight) {
        this.target = target;
        this.teacher = teacher;
        this.schedule = schedule;
        this.times = times;
        this.gap = gap;
        this.distance = distance;
        this.weight = weight;
    }

    @Override
    public String name() {
        return "consistency";
    }

    @Override
    public Tensor perSample(Pass pass) {
        double[] t = pass.draws(name()).each(rng -> times.sample(schedule, rng));
        EarlierTime earlier = gap.at(pass.clock());
        double[] r = new double[t.length];
        for (int i = 0; i < t.length; i++) {
            // a flow's and a table's time count in units of their own; the others' is a noise level or an angle
            double unit = schedule instanceof FlowLinear || schedule instanceof DiscreteSchedule
                    ? schedule.noisiestTime()
                    : 1;
            double before = earlier.before(t[i] / unit) * unit;
            r[i] = schedule instanceof DiscreteSchedule ? Math.floor(before) : before;
        }
        return at(pass, t, r);
    }

    /** The loss between given times. */
    Tensor at(Pass pass, double[] t, double[] r) {
        NoisyBatch noisy = pass.noisy(t);
        Tensor before = teacher.map(by -> led(pass, by, noisy, r))
                .orElseGet(() -> pass.noisy(r).noisy());
        Tensor wanted = pass.ask(target, new Question(before, r, noisy.condition(), Gradient.NONE))
                .as(Prediction.X0);
        Tensor x0 = pass.ask(pass.player(), new Question(noisy.noisy(), t, noisy.condition(), Gradient.PARAMETERS))
                .as(Prediction.X0);
        double[] weights = new double[t.length];
        for (int i = 0; i < t.length; i++) {
            weights[i] = r[i] == t[i]
                    ? 0
                    : weight.at(schedule.point(t[i]), schedule.point(r[i])); // a table has none before 0
        }
        Tensor squared = Ops.sum(Ops.flatten(x0.sub(wanted).square(), 1, -1), 1, false); // (N)
        return Distances.pseudoHuber(squared, distance).mul(Tensors.of(weights, Device.of(squared)));
    }

    private Tensor led(Pass pass, String by, NoisyBatch noisy, double[] r) {
        Tensor x0 = pass.ask(by, new Question(noisy.noisy(), noisy.times(), noisy.condition(), Gradient.NONE))
                .as(Prediction.X0);
        return Walk.step(
                noisy.noisy(),
                x0,
                Arrays.stream(noisy.times()).mapToObj(schedule::point).toList(),
                Arrays.stream(r).mapToObj(schedule::point).toList());
    }
}
