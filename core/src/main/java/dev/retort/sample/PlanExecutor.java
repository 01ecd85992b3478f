package dev.retort.sample;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.IntFunction;
import org.bytedeco.pytorch.Tensor;

/** Runs a {@link Plan} on libtorch tensors: the same arithmetic as {@link dev.retort.diffusion.ArrayExecutor}, in fp32. */
public final class PlanExecutor {
    /** What the plan calls. */
    @FunctionalInterface
    public interface Evaluation {
        /**
         * One network call.
         *
         * @param step index of the step among the plan's, whose {@link Plan.Step#call()} says at which time
         * @param input (N, C, H, W), already scaled
         * @return (N, C or 2C, H, W), fp32
         */
        Tensor output(int step, Tensor input);
    }

    /** Is told of every step; the tensors live during the call only. */
    @FunctionalInterface
    public interface Watcher {
        /** After a step: its index, the predicted clean samples, the next states. */
        void after(int step, Tensor x0, Tensor next);
    }

    private PlanExecutor() {}

    /**
     * Samples.
     *
     * @param plan what to do
     * @param start unit noise (N, C, H, W)
     * @param noise gives unit noise of the same shape for a step that asks for it, by the step's index
     * @return the last state, owned by the caller's scope
     */
    public static Tensor run(Plan plan, Tensor start, Evaluation network, IntFunction<Tensor> noise, Watcher watcher) {
        try (Scope all = Scope.open();
                NoGrad off = NoGrad.on()) {
            Map<Combination.Source, ArrayDeque<Tensor>> history = new EnumMap<>(Combination.Source.class);
            for (Combination.Source source : Combination.Source.values()) {
                history.put(source, new ArrayDeque<>());
            }
            Tensor x = all.keep(Ops.mul(start, plan.startScale()));
            for (int k = 0; k < plan.steps().size(); k++) {
                try (Scope step = Scope.open()) {
                    Tensor next = step(plan, k, x, network, noise, watcher, history, step);
                    x.close();
                    x = step.keep(next);
                }
            }
            history.values().forEach(values -> values.forEach(Tensor::close));
            Tensor result = x.alias();
            x.close();
            return all.escape(result);
        }
    }

    private static Tensor step(
            Plan plan,
            int k,
            Tensor x,
            Evaluation network,
            IntFunction<Tensor> noise,
            Watcher watcher,
            Map<Combination.Source, ArrayDeque<Tensor>> history,
            Scope scope) {
        Plan.Step step = plan.steps().get(k);
        Plan.Call call = step.call();
        Tensor output = network.output(k, call.inputScale() == 1 ? x : Ops.mul(x, call.inputScale()));
        Tensor mean = output.narrow(1, 0, x.size(1));
        Tensor x0 = clamp(call.clamp(), Ops.addScaled(Ops.mul(x, call.x0FromState()), mean, call.x0FromOutput()));
        remember(history, Combination.Source.STATE, x, plan, scope);
        remember(history, Combination.Source.OUTPUT, mean, plan, scope);
        remember(history, Combination.Source.X0, x0, plan, scope);
        if (step.refines()) {
            ArrayDeque<Tensor> states = history.get(Combination.Source.STATE);
            Tensor refined = combine(step.refined(), history);
            if (!states.isEmpty()) {
                states.poll().close();
                states.push(scope.keep(refined));
            }
        }
        Tensor next = combine(step.next(), history);
        if (step.noise() instanceof NoiseScale.Fixed fixed) {
            next = Ops.addScaled(next, noise.apply(k), fixed.scale());
        } else if (step.noise() instanceof NoiseScale.LearnedRange range) {
            // exp(0.5 (f logBeta + (1 - f) logBetaTilde)), f = (v + 1) / 2
            Tensor v = output.narrow(1, x.size(1), x.size(1));
            double slope = (range.logBeta() - range.logBetaTilde()) / 4;
            double middle = (range.logBeta() + range.logBetaTilde()) / 4;
            next = next.add(Ops.add(Ops.mul(v, slope), middle).exp().mul(noise.apply(k)));
        }
        watcher.after(k, x0, next);
        return next;
    }

    /** Stores a reference of its own, so that dropping it and the step's end do not disturb each other. */
    private static void remember(
            Map<Combination.Source, ArrayDeque<Tensor>> history,
            Combination.Source source,
            Tensor value,
            Plan plan,
            Scope scope) {
        int depth = plan.depth(source);
        if (depth == 0) {
            return;
        }
        ArrayDeque<Tensor> values = history.get(source);
        values.push(scope.keep(value.alias()));
        while (values.size() > depth) {
            values.removeLast().close();
        }
    }

    private static Tensor combine(Combination combination, Map<Combination.Source, ArrayDeque<Tensor>> history) {
        Tensor sum = null;
        for (Combination.Term term : combination.terms()) {
            Iterator<Tensor> newestFirst = history.get(term.source()).iterator();
            Tensor value = newestFirst.next();
            for (int lag = 0; lag < term.lag(); lag++) {
                value = newestFirst.next();
            }
            sum = sum == null ? Ops.mul(value, term.coefficient()) : Ops.addScaled(sum, value, term.coefficient());
        }
        if (sum == null) {
            throw new IllegalStateException("a step combines nothing");
        }
        return sum;
    }

    private static Tensor clamp(Clamp clamp, Tensor x0) {
        if (clamp instanceof Clamp.None) {
            return x0;
        }
        if (clamp instanceof Clamp.Range range) {
            return Ops.clamp(x0, -range.limit(), range.limit());
        }
        // Percentile clamps look at each sample as a whole; the array form is the one definition of them.
        float[] values = Tensors.floats(x0);
        int n = Math.toIntExact(x0.size(0));
        int size = values.length / n;
        for (int i = 0; i < n; i++) {
            double[] sample = new double[size];
            for (int j = 0; j < size; j++) {
                sample[j] = values[i * size + j];
            }
            clamp.apply(sample);
            for (int j = 0; j < size; j++) {
                values[i * size + j] = (float) sample[j];
            }
        }
        return Tensors.of(values, Device.of(x0), Tensors.shape(x0));
    }
}
