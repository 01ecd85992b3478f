package dev.retort.examples;

import dev.retort.diffusion.ArrayExecutor;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.GaussianMixture;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solvers;
import dev.retort.diffusion.TimeGrid;
import java.util.Locale;

/**
 * Lesson 4: solvers are plans of coefficients. Here one samples a ring of Gaussians whose exact denoiser is known, so there
 * is nothing to train and nothing but arithmetic. Arguments: solver, steps.
 */
public final class SolverWithoutNetwork {
    private SolverWithoutNetwork() {}

    /** The mean distance of samples from the ring's radius: small when solver and steps are good enough. */
    public static double missedRadius(String solver, int steps) {
        GaussianMixture ring = GaussianMixture.ring(8, 1, 0.05);
        FlowLinear schedule = new FlowLinear();
        Process process = new Process(schedule, Prediction.FLOW);
        Plan plan = Solvers.named(solver).plan(process, TimeGrid.flow(schedule, steps, 1));
        double missed = 0;
        int samples = 200;
        for (int i = 0; i < samples; i++) {
            double[] x = ArrayExecutor.sample(plan, 2, ring.network(), 1, i);
            missed += Math.abs(Math.hypot(x[0], x[1]) - 1) / samples;
        }
        return missed;
    }

    /** Runs the lesson. */
    public static void main(String[] args) {
        double missed = missedRadius(args[0], Integer.parseInt(args[1]));
        System.out.printf(Locale.ROOT, "%s in %s steps lands %.3f from the ring%n", args[0], args[1], missed);
    }
}
