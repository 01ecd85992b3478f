package dev.retort.sample;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.Plan;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.List;
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
         * @return (N, C or 2C, H, W), or (N, K·C, H, W) of K heads, fp32
         */
        Tensor output(int step, Tensor input);
    }

    /** Is told of every step; the tensors live during the call only. */
    @FunctionalInterface
    public interface Watcher {
        /** After a step: its index, the predicted clean samples, the next states. */
        void after(int step, Tensor x0, Tensor next);
    }

    /** Says what becomes of a state before the plan goes on from it. */
    @FunctionalInterface
    public interface Projection {
        /** Leaves every state as it is. */
        Projection NONE = (step, next) -> next;

        /** The state from which it goes on after a step, by its index. */
        Tensor of(int step, Tensor next);
    }

    private final List<Plan> plans;
    private final int steps;
    private final Evaluation network;
    private final IntFunction<Tensor> noise;
    private final Watcher watcher;
    private final Projection projection;
    private final Map<Combination.Source, ArrayDeque<Tensor>> history = PlanStep.noHistory();
    private final Map<Combination.Source, Integer> depths = new EnumMap<>(Combination.Source.class);

    private PlanExecutor(
            List<Plan> plans, Evaluation network, IntFunction<Tensor> noise, Projection projection, Watcher watcher) {
        this.plans = plans;
        this.network = network;
        this.noise = noise;
        this.projection = projection;
        this.watcher = watcher;
        steps = plans.get(0).steps().size();
        for (Plan plan : plans) {
            if (plan.steps().size() != steps) {
                throw new IllegalArgumentException("the plans of one batch have " + steps + " and "
                        + plan.steps().size() + " steps; expected as many of each");
            }
            for (Combination.Source source : Combination.Source.values()) {
                depths.merge(source, plan.depth(source), Math::max);
            }
        }
    }

    /**
     * Samples.
     *
     * @param plan what to do
     * @param start unit noise (N, C, H, W)
     * @param noise gives unit noise of the same shape for a step that asks for it, by the step's index
     * @return the last state, owned by the caller's scope
     */
    public static Tensor run(Plan plan, Tensor start, Evaluation network, IntFunction<Tensor> noise, Watcher watcher) {
        return run(List.of(plan), start, network, noise, Projection.NONE, watcher);
    }

    /**
     * Runs a plan for each sample: all of the same solver and number of steps, each on a grid of its own.
     *
     * @param plans one for each of the N samples, or one for all
     * @param start unit noise (N, C, H, W)
     * @param network is asked about all samples at once, at the times of step k of their plans
     * @return the last states, owned by the caller's scope
     */
    public static Tensor run(
            List<Plan> plans, Tensor start, Evaluation network, IntFunction<Tensor> noise, Watcher watcher) {
        return run(plans, start, network, noise, Projection.NONE, watcher);
    }

    /** Samples, each state projected before it goes on; the watcher is told of the projected ones. */
    static Tensor run(
            List<Plan> plans,
            Tensor start,
            Evaluation network,
            IntFunction<Tensor> noise,
            Projection projection,
            Watcher watcher) {
        PlanExecutor executor = new PlanExecutor(plans, network, noise, projection, watcher);
        try (Scope all = Scope.open();
                NoGrad off = NoGrad.on()) {
            Tensor x = executor.steps(executor.steps, all, executor.scaled(start));
            Tensor result = x.alias();
            x.close();
            executor.forget();
            return all.escape(result);
        }
    }

    /**
     * The same, but with a graph through the last step: the gradient of the result leads through the network's last answer, not
     * to the states before.
     *
     * @return the last states; the caller's scope, which owns all of the last step, is to stay open until the backward pass
     */
    public static Tensor runToGraph(
            List<Plan> plans, Tensor start, Evaluation network, IntFunction<Tensor> noise, Watcher watcher) {
        PlanExecutor executor = new PlanExecutor(plans, network, noise, Projection.NONE, watcher);
        Tensor x;
        Scope all = Scope.open();
        try (NoGrad off = NoGrad.on()) {
            Tensor state = executor.steps(executor.steps - 1, all, executor.scaled(start));
            x = all.escape(state.alias());
            state.close();
        } finally {
            all.close();
        }
        List<Tensor> before =
                executor.history.values().stream().flatMap(ArrayDeque::stream).toList();
        Tensor last = executor.step(executor.steps - 1, x, null);
        before.forEach(Tensor::close);
        return last;
    }

    private Tensor scaled(Tensor start) {
        return PlanStep.times(
                start, plans.stream().mapToDouble(Plan::startScale).toArray());
    }

    /** The first steps, each in a scope of its own; the state is kept. */
    private Tensor steps(int count, Scope all, Tensor first) {
        Tensor x = all.keep(first);
        for (int k = 0; k < count; k++) {
            try (Scope step = Scope.open()) {
                Tensor next = step(k, x, step);
                x.close();
                x = step.keep(next);
            }
        }
        return x;
    }

    /** One step; what is remembered of it is kept out of the scope, or left to the caller's where that is null. */
    private Tensor step(int k, Tensor x, Scope scope) {
        PlanStep step = PlanStep.of(plans, k);
        Tensor output = network.output(k, step.input(x));
        Tensor mean = step.prediction(output, x.size(1));
        Tensor x0 = clamp(step.clamp(), step.x0(x, mean));
        remember(Combination.Source.STATE, x, scope);
        remember(Combination.Source.OUTPUT, mean, scope);
        remember(Combination.Source.X0, x0, scope);
        if (step.refines()) {
            Tensor refined = step.refined(history);
            ArrayDeque<Tensor> states = history.get(Combination.Source.STATE);
            if (!states.isEmpty()) {
                Tensor replaced = states.poll();
                if (scope != null) {
                    replaced.close();
                }
                states.push(scope == null ? refined : scope.keep(refined));
            }
        }
        Tensor next = step.next(history);
        if (step.addsNoise()) {
            next = step.noised(next, output, noise.apply(k));
        }
        next = projection.of(k, next);
        watcher.after(k, x0, next);
        return next;
    }

    /** Stores a reference of its own, so that dropping it and the step's end do not disturb each other. */
    private void remember(Combination.Source source, Tensor value, Scope scope) {
        int depth = depths.get(source);
        if (depth == 0) {
            return;
        }
        ArrayDeque<Tensor> values = history.get(source);
        values.push(scope == null ? value.alias() : scope.keep(value.alias()));
        while (scope != null && values.size() > depth) {
            values.removeLast().close();
        }
    }

    private void forget() {
        history.values().forEach(values -> values.forEach(Tensor::close));
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
