package dev.retort.runtime;

import dev.retort.diffusion.Clamp;
import dev.retort.diffusion.Combination;
import dev.retort.diffusion.Combination.Source;
import dev.retort.diffusion.Heads;
import dev.retort.diffusion.NoiseScale;
import dev.retort.diffusion.Plan;
import java.util.Arrays;

/**
 * Runs a {@link Plan} on a batch of floats: the arithmetic of {@link dev.retort.diffusion.ArrayExecutor}, summed in double, remembered in float, in
 * arrays that are kept from batch to batch. For one thread.
 */
final class FloatExecutor {
    /** What the plan calls. */
    interface Network {
        /**
         * One call.
         *
         * @param step index of the step
         * @param input the samples one after another, already scaled
         * @return the outputs one after another, each of them all heads, or the prediction and its variance
         */
        float[] output(int step, float[] input);
    }

    /** Where fresh noise comes from. */
    interface Noise {
        /** Fills in unit noise for a step, the samples one after another. */
        void fill(int step, float[] noise);
    }

    /** Is asked after each step. */
    interface Watcher {
        /** Whether to go on. */
        boolean after(int step);
    }

    private final Plan plan;
    private final int size;
    private final int outputSize;
    private final int samples;
    private final float[][] states;
    private final float[][] outputs;
    private final float[][] cleans;
    private final float[] x;
    private final float[] input;
    private final float[] noise;
    private final double[] sum;
    private final double[] one;

    /**
     * Makes the arrays.
     *
     * @param samples in a batch
     * @param size values of a sample
     * @param outputSize values of the network's output for a sample
     */
    FloatExecutor(Plan plan, int samples, int size, int outputSize) {
        this.plan = plan;
        this.samples = samples;
        this.size = size;
        this.outputSize = outputSize;
        int all = samples * size;
        states = new float[Math.max(1, plan.depth(Source.STATE))][all];
        outputs = new float[Math.max(1, plan.depth(Source.OUTPUT))][all];
        cleans = new float[Math.max(1, plan.depth(Source.X0))][all];
        x = new float[all];
        input = new float[all];
        noise = new float[plan.addsNoise() ? all : 0];
        sum = new double[all];
        one = new double[size];
    }

    /**
     * Samples.
     *
     * @param start unit noise; it is not changed
     * @return the last states, until the next run; {@code null} where the watcher ended it
     */
    float[] run(float[] start, Network network, Noise fresh, Watcher watcher) {
        scale(start, plan.startScale(), x);
        for (int k = 0; k < plan.steps().size(); k++) {
            Plan.Step step = plan.steps().get(k);
            Plan.Call call = step.call();
            scale(x, call.inputScale(), input);
            float[] output = network.output(k, input);
            float[] state = at(states, k, 0);
            float[] mean = at(outputs, k, 0);
            System.arraycopy(x, 0, state, 0, x.length);
            heads(call.heads(), output, mean);
            clean(call, state, mean, at(cleans, k, 0));
            if (step.refines()) {
                combine(step.refined(), k);
                store(state);
            }
            combine(step.next(), k);
            addNoise(step.noise(), k, output, fresh);
            store(x);
            if (!watcher.after(k)) {
                return null;
            }
        }
        return x;
    }

    private static void scale(float[] from, double factor, float[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] = (float) (factor * from[i]);
        }
    }

    private static float[] at(float[][] ring, int step, int lag) {
        return ring[(step - lag) % ring.length];
    }

    private void heads(Heads heads, float[] output, float[] mean) {
        for (int n = 0; n < samples; n++) {
            for (int i = 0; i < size; i++) {
                double value = 0;
                for (int head = heads.first(); head < heads.end(); head++) {
                    value += heads.factor(head) * output[n * outputSize + head * size + i];
                }
                mean[n * size + i] = (float) value;
            }
        }
    }

    private void clean(Plan.Call call, float[] state, float[] mean, float[] x0) {
        double a = call.x0FromState();
        double b = call.x0FromOutput();
        for (int i = 0; i < sum.length; i++) {
            sum[i] = a * state[i] + b * mean[i];
        }
        if (call.clamp() instanceof Clamp.Dynamic) { // looks at each sample as a whole
            for (int n = 0; n < samples; n++) {
                System.arraycopy(sum, n * size, one, 0, size);
                call.clamp().apply(one);
                System.arraycopy(one, 0, sum, n * size, size);
            }
        } else {
            call.clamp().apply(sum);
        }
        store(x0);
    }

    private void combine(Combination combination, int step) {
        Arrays.fill(sum, 0);
        for (Combination.Term term : combination.terms()) {
            float[][] ring = term.source() == Source.STATE ? states : term.source() == Source.OUTPUT ? outputs : cleans;
            float[] value = at(ring, step, term.lag());
            double coefficient = term.coefficient();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += coefficient * value[i];
            }
        }
    }

    private void addNoise(NoiseScale scale, int step, float[] output, Noise fresh) {
        if (scale instanceof NoiseScale.None) {
            return;
        }
        fresh.fill(step, noise);
        for (int n = 0; n < samples; n++) {
            for (int i = 0; i < size; i++) {
                double factor = scale instanceof NoiseScale.LearnedRange range
                        ? range.at(output[n * outputSize + size + i])
                        : ((NoiseScale.Fixed) scale).scale();
                sum[n * size + i] += factor * noise[n * size + i];
            }
        }
    }

    private void store(float[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] = (float) sum[i];
        }
    }
}
