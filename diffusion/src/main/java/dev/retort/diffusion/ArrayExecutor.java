package dev.retort.diffusion;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** Runs a {@link Plan} on one sample of plain doubles. The reference for every other executor. */
public final class ArrayExecutor {

    /** A network: what it returns for an input that the call has already scaled. */
    @FunctionalInterface
    public interface Network {
        /**
         * The raw output.
         *
         * @param input one sample, n elements
         * @param call the time and the noise level
         * @return n elements; or 2n, the second half being the variance channels; or n for each head
         */
        double[] output(double[] input, Plan.Call call);
    }

    /** Is told of every step. */
    @FunctionalInterface
    public interface Watcher {
        /**
         * After a step.
         *
         * @param step its index
         * @param x0 the clean sample predicted in it
         * @param next the state after it
         */
        void after(int step, double[] x0, double[] next);
    }

    private ArrayExecutor() {}

    /**
     * Samples once.
     *
     * @param plan what to do
     * @param start unit noise, n elements; it is not changed
     * @param network what to call
     * @param noise gives n unit normal numbers for a step that asks for them, by its index
     * @param watcher is told of every step
     * @return the last state
     */
    public static double[] run(
            Plan plan, double[] start, Network network, IntFunction<double[]> noise, Watcher watcher) {
        Map<Combination.Source, ArrayDeque<double[]>> history = new EnumMap<>(Combination.Source.class);
        Map<Combination.Source, Integer> depths = new EnumMap<>(Combination.Source.class);
        for (Combination.Source source : Combination.Source.values()) {
            history.put(source, new ArrayDeque<>());
            depths.put(source, plan.depth(source));
        }
        double[] x = scaled(start, plan.startScale());
        for (int k = 0; k < plan.steps().size(); k++) {
            Plan.Step step = plan.steps().get(k);
            Plan.Call call = step.call();
            double[] output = network.output(scaled(x, call.inputScale()), call);
            double[] mean = call.heads().of(output, x.length);
            double[] x0 = x0(call, x, mean);
            remember(history.get(Combination.Source.STATE), x, depths.get(Combination.Source.STATE));
            remember(history.get(Combination.Source.OUTPUT), mean, depths.get(Combination.Source.OUTPUT));
            remember(history.get(Combination.Source.X0), x0, depths.get(Combination.Source.X0));
            if (step.refines()) {
                double[] refined = combine(step.refined(), history, x.length);
                ArrayDeque<double[]> states = history.get(Combination.Source.STATE);
                if (states.poll() != null) {
                    states.push(refined);
                }
            }
            x = combine(step.next(), history, x.length);
            addNoise(step.noise(), x, output, noise, k);
            watcher.after(k, x0, x);
        }
        return x;
    }

    /** Samples once, all states kept: the start, then the state after every step. */
    public static List<double[]> trajectory(Plan plan, double[] start, Network network, IntFunction<double[]> noise) {
        List<double[]> states = new ArrayList<>();
        states.add(scaled(start, plan.startScale()));
        run(plan, start, network, noise, (step, x0, next) -> states.add(next));
        return states;
    }

    /** Samples once with noise from the addresses (seed, sample): the start at SAMPLE_START, step k at SAMPLE_STEP. */
    public static double[] sample(Plan plan, int size, Network network, long seed, long sampleIndex) {
        double[] start = gaussian(Rng.at(seed, Purpose.SAMPLE_START, 0, sampleIndex), size);
        return run(
                plan,
                start,
                network,
                k -> gaussian(Rng.at(seed, Purpose.SAMPLE_STEP, k, sampleIndex), size),
                (step, x0, next) -> {});
    }

    private static double[] x0(Plan.Call call, double[] x, double[] output) {
        double a = call.x0FromState();
        double b = call.x0FromOutput();
        double[] x0 = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            x0[i] = a * x[i] + b * output[i];
        }
        call.clamp().apply(x0);
        return x0;
    }

    private static void remember(ArrayDeque<double[]> newestFirst, double[] value, int depth) {
        newestFirst.push(value);
        while (newestFirst.size() > depth) {
            newestFirst.removeLast();
        }
    }

    private static double[] combine(
            Combination combination, Map<Combination.Source, ArrayDeque<double[]>> history, int size) {
        double[] sum = new double[size];
        for (Combination.Term term : combination.terms()) {
            Iterator<double[]> newestFirst = history.get(term.source()).iterator();
            double[] value = newestFirst.next();
            for (int lag = 0; lag < term.lag(); lag++) {
                value = newestFirst.next();
            }
            for (int i = 0; i < size; i++) {
                sum[i] += term.coefficient() * value[i];
            }
        }
        return sum;
    }

    private static void addNoise(NoiseScale scale, double[] x, double[] output, IntFunction<double[]> noise, int step) {
        if (scale instanceof NoiseScale.Fixed fixed) {
            double[] fresh = noise.apply(step);
            for (int i = 0; i < x.length; i++) {
                x[i] += fixed.scale() * fresh[i];
            }
        } else if (scale instanceof NoiseScale.LearnedRange range) {
            double[] fresh = noise.apply(step);
            for (int i = 0; i < x.length; i++) {
                x[i] += range.at(output[x.length + i]) * fresh[i];
            }
        }
    }

    private static double[] gaussian(Rng rng, int size) {
        float[] values = new float[size];
        rng.fillGaussian(values);
        double[] wide = new double[size];
        for (int i = 0; i < size; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static double[] scaled(double[] x, double factor) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = factor * x[i];
        }
        return y;
    }
}
