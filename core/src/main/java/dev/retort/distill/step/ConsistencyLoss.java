package dev.retort.distill.step;

import dev.retort.diffusion.BoundaryScaling;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Rng;
import dev.retort.diffusion.TimeGrid;
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
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Consistency (Song et al. 2023; tuning of a trained network as in Geng et al. 2024, ECT): what the student says x0 is at a time t is
 * to be what it says at an earlier r on the same path: w(t, r)·d(x0(x_t, t), sg x0(x_r, r)), d pseudo-Huber. In training, x_r is
 * the image with the same noise; in distillation, where the teacher comes to from x_t, on a grid as in Luo et al. 2023 (LCM).
 */
public final class ConsistencyLoss implements Loss {
    private final String target;
    private final Optional<String> teacher;
    private final NoiseSchedule schedule;
    private final Pairs pairs;
    private final Distance distance;
    private final ConsistencyWeight weight;
    private final DoubleFunction<BoundaryScaling> form;

    /** Which two times of each image are compared. */
    public sealed interface Pairs {
        /**
         * Any t, and an r that comes nearer to it: about t/q less, q growing geometrically over the stage in equal stretches (ECT).
         *
         * @param sampler how t is drawn
         * @param pureNoise share of images with the noisiest time as t instead, where few-step sampling begins
         * @param from the first q, above 1
         * @param to the last
         * @param stretches how many there are
         */
        record Closing(TimeSampler sampler, double pureNoise, double from, double to, int stretches) implements Pairs {
            private double sample(NoiseSchedule schedule, Rng rng) {
                boolean noise = rng.nextDouble() < pureNoise;
                return noise ? schedule.noisiestTime() : sampler.sample(schedule, rng);
            }

            private EarlierTime at(Clock clock) {
                int stretch = Math.min(stretches - 1, (int) (clock.stage() * stretches));
                double q = stretches == 1 ? to : from * Math.pow(to / from, (double) stretch / (stretches - 1));
                return EarlierTime.ofStage(q, 0);
            }
        }

        /** Neighbours on a grid, so that the teacher's step skips what lies between (LCM). */
        record Neighbours(TimeGrid grid) implements Pairs {}
    }

    /**
     * How far two images are from each other.
     *
     * @param huber of what
     * @param byElement of each difference, of which the mean is taken; else of the whole image's norm
     */
    public record Distance(PseudoHuber huber, boolean byElement) {
        Tensor of(Tensor difference) {
            Tensor squares = difference.square();
            return byElement
                    ? Ops.meanPerSample(Distances.pseudoHuber(squares, huber))
                    : Distances.pseudoHuber(Ops.sum(Ops.flatten(squares, 1, -1), 1, false), huber);
        }
    }

    /**
     * @param target name of the player that says what x0 is at r: the student itself, or an average of it
     * @param teacher name of the player that leads to x_r by a step of DDIM; nobody in consistency training
     * @param schedule how images are noised
     * @param form how the sampler makes an image of the state at a time and what is said of x0 there
     */
    public ConsistencyLoss(
            String target,
            Optional<String> teacher,
            NoiseSchedule schedule,
            Pairs pairs,
            Distance distance,
            ConsistencyWeight weight,
            DoubleFunction<BoundaryScaling> form) {
        this.target = target;
        this.teacher = teacher;
        this.schedule = schedule;
        this.pairs = pairs;
        this.distance = distance;
        this.weight = weight;
        this.form = form;
    }

    @Override
    public String name() {
        return "consistency";
    }

    @Override
    public Tensor perSample(Pass pass) {
        if (pairs instanceof Pairs.Neighbours of) {
            int[] steps = pass.draws(name()).index(of.grid.steps());
            return at(
                    pass,
                    each(steps, k -> of.grid.from(k).time()),
                    each(steps, k -> Math.max(of.grid.to(k).time(), 0))); // a table ends at its first entry
        }
        Pairs.Closing closing = (Pairs.Closing) pairs;
        double[] t = pass.draws(name()).each(rng -> closing.sample(schedule, rng));
        EarlierTime earlier = closing.at(pass.clock());
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

    private static double[] each(int[] steps, IntToDoubleFunction number) {
        return IntStream.of(steps).mapToDouble(number).toArray();
    }

    /** The loss between given times. */
    Tensor at(Pass pass, double[] t, double[] r) {
        NoisyBatch noisy = pass.noisy(t);
        Tensor before = teacher.map(by -> led(pass, by, noisy, r))
                .orElseGet(() -> pass.noisy(r).noisy());
        Tensor wanted = image(pass, target, new Question(before, r, noisy.condition(), Gradient.NONE));
        Tensor said =
                image(pass, pass.player(), new Question(noisy.noisy(), t, noisy.condition(), Gradient.PARAMETERS));
        double[] weights = new double[t.length];
        for (int i = 0; i < t.length; i++) {
            weights[i] = r[i] == t[i]
                    ? 0
                    : weight.at(schedule.point(t[i]), schedule.point(r[i])); // a table has none before 0
        }
        Tensor far = distance.of(said.sub(wanted)); // (N)
        return far.mul(Tensors.of(weights, Device.of(far)));
    }

    /** The image that the sampler would make of an answer. */
    private Tensor image(Pass pass, String player, Question question) {
        Tensor x0 = pass.ask(player, question).as(Prediction.X0);
        List<BoundaryScaling> forms =
                Arrays.stream(question.times()).mapToObj(form).toList();
        if (forms.stream().allMatch(BoundaryScaling.NONE::equals)) {
            return x0;
        }
        Tensor kept = question.x().mul(column(forms, BoundaryScaling::skip, x0));
        return kept.add(x0.mul(column(forms, BoundaryScaling::out, x0)));
    }

    private static Tensor column(List<BoundaryScaling> forms, ToDoubleFunction<BoundaryScaling> of, Tensor like) {
        return Tensors.column(forms.stream().mapToDouble(of).toArray(), like);
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
