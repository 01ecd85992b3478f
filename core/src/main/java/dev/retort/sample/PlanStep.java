package dev.retort.sample;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.Heads;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * The same step of one plan for all samples, or of a plan for each: its coefficients are numbers, or columns (N, 1, 1, 1).
 *
 * @param of one, or as many as samples
 * @param noise the noise that any of them adds; of one kind beside none
 */
record PlanStep(List<Plan.Step> of, Class<? extends NoiseScale> noise) {
    static PlanStep of(List<Plan> plans, int index) {
        List<Plan.Step> steps =
                plans.stream().map(plan -> plan.steps().get(index)).toList();
        Class<? extends NoiseScale> kind = NoiseScale.None.class;
        for (Plan.Step step : steps) {
            Class<? extends NoiseScale> here = step.noise().getClass();
            if (!step.call().clamp().equals(steps.get(0).call().clamp())
                    || kind != NoiseScale.None.class && here != kind && here != NoiseScale.None.class) {
                throw new IllegalArgumentException(
                        "step " + index + " of the plans of one batch differs in more than its coefficients: "
                                + steps.get(0) + " and " + step);
            }
            kind = here == NoiseScale.None.class ? kind : here;
        }
        return new PlanStep(steps, kind);
    }

    Clamp clamp() {
        return of.get(0).call().clamp();
    }

    boolean refines() {
        return of.stream().anyMatch(Plan.Step::refines);
    }

    boolean addsNoise() {
        return noise != NoiseScale.None.class;
    }

    private double[] numbers(ToDoubleFunction<Plan.Step> coefficient) {
        return of.stream().mapToDouble(coefficient).toArray();
    }

    /** x times one number, or a number for each sample. */
    static Tensor times(Tensor x, double[] numbers) {
        return numbers.length == 1 ? Ops.mul(x, numbers[0]) : x.mul(Tensors.column(numbers, x));
    }

    /** coefficient·x. */
    private Tensor times(Tensor x, ToDoubleFunction<Plan.Step> coefficient) {
        return times(x, numbers(coefficient));
    }

    /** sum + coefficient·x. */
    private Tensor plus(Tensor sum, Tensor x, ToDoubleFunction<Plan.Step> coefficient) {
        double[] numbers = numbers(coefficient);
        return numbers.length == 1 ? Ops.addScaled(sum, x, numbers[0]) : sum.add(x.mul(Tensors.column(numbers, x)));
    }

    /** The state as the network wants it. */
    Tensor input(Tensor x) {
        return of.stream().allMatch(step -> step.call().inputScale() == 1)
                ? x
                : times(x, step -> step.call().inputScale());
    }

    /** The prediction (N, C, H, W) in what the network returned: leading channels, or a sum of several heads. */
    Tensor prediction(Tensor output, long channels) {
        List<Heads> heads = of.stream().map(step -> step.call().heads()).toList();
        if (heads.stream().allMatch(Heads.ONLY::equals)) {
            return output.narrow(1, 0, channels);
        }
        int first = heads.stream().mapToInt(Heads::first).min().orElseThrow();
        int end = heads.stream().mapToInt(Heads::end).max().orElseThrow();
        Tensor sum = null;
        for (int head = first; head < end; head++) {
            int which = head;
            Tensor one = output.narrow(1, head * channels, channels);
            ToDoubleFunction<Plan.Step> factor = step -> step.call().heads().factor(which);
            sum = sum == null ? times(one, factor) : plus(sum, one, factor);
        }
        return sum;
    }

    /** The clean samples predicted, before the clamp. */
    Tensor x0(Tensor x, Tensor mean) {
        return plus(times(x, step -> step.call().x0FromState()), mean, step -> step.call()
                .x0FromOutput());
    }

    Tensor refined(Map<Combination.Source, ArrayDeque<Tensor>> history) {
        return combine(Plan.Step::refined, history);
    }

    Tensor next(Map<Combination.Source, ArrayDeque<Tensor>> history) {
        return combine(Plan.Step::next, history);
    }

    /** The deterministic next state with noise added, where the output (N, 2C, H, W) may say how much. */
    Tensor noised(Tensor next, Tensor output, Tensor noise) {
        if (this.noise == NoiseScale.Fixed.class) {
            return plus(next, noise, step -> step.noise() instanceof NoiseScale.Fixed fixed ? fixed.scale() : 0);
        }
        // exp(0.5 (f logBeta + (1 - f) logBetaTilde)), f = (v + 1) / 2
        Tensor v = output.narrow(1, next.size(1), next.size(1));
        Tensor slope = times(v, step -> (range(step).logBeta() - range(step).logBetaTilde()) / 4);
        double[] middle = numbers(step -> (range(step).logBeta() + range(step).logBetaTilde()) / 4);
        Tensor log = middle.length == 1 ? Ops.add(slope, middle[0]) : slope.add(Tensors.column(middle, v));
        return next.add(log.exp().mul(noise));
    }

    private static NoiseScale.LearnedRange range(Plan.Step step) {
        if (step.noise() instanceof NoiseScale.LearnedRange range) {
            return range;
        }
        throw new IllegalArgumentException("some plans of one batch add noise of a learned variance, others none; their"
                + " grids must end at the same step");
    }

    /** What an earlier tensor is, whatever its coefficient. */
    private record Place(Combination.Source source, int lag) {}

    private Tensor combine(
            Function<Plan.Step, Combination> which, Map<Combination.Source, ArrayDeque<Tensor>> history) {
        List<Place> places = of.stream()
                .flatMap(step -> which.apply(step).terms().stream())
                .map(term -> new Place(term.source(), term.lag()))
                .distinct()
                .toList();
        Tensor sum = null;
        for (Place place : places) {
            Tensor value = at(history.get(place.source), place.lag);
            ToDoubleFunction<Plan.Step> coefficient = step -> which.apply(step).coefficient(place.source, place.lag);
            sum = sum == null ? times(value, coefficient) : plus(sum, value, coefficient);
        }
        if (sum == null) {
            throw new IllegalStateException("a step combines nothing");
        }
        return sum;
    }

    private static Tensor at(ArrayDeque<Tensor> values, int lag) {
        Iterator<Tensor> newestFirst = values.iterator();
        Tensor value = newestFirst.next();
        for (int i = 0; i < lag; i++) {
            value = newestFirst.next();
        }
        return value;
    }

    /** No tensors remembered yet. */
    static Map<Combination.Source, ArrayDeque<Tensor>> noHistory() {
        Map<Combination.Source, ArrayDeque<Tensor>> history = new EnumMap<>(Combination.Source.class);
        for (Combination.Source source : Combination.Source.values()) {
            history.put(source, new ArrayDeque<>());
        }
        return history;
    }
}
