package dev.retort.diffusion;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A sampler written out as arithmetic: what an executor does, step by step, with no formula of its own. Start with x = startScale * unit noise; then for
 * every step
 *
 * <ol>
 *   <li>output = network(inputScale * x, time), or a sum of its outputs, if it has several heads;
 *   <li>x0 = clamp(x0FromState * x + x0FromOutput * output);
 *   <li>x = refined, if the step refines;
 *   <li>remember x, output and x0 as far back as {@link #depth} says;
 *   <li>x = next + noise * fresh normal noise.
 * </ol>
 *
 * @param solver the name of the solver with its options
 * @param startScale the standard deviation of the first state
 * @param steps one per network call
 */
public record Plan(String solver, double startScale, List<Step> steps) {

    /**
     * One network call and how its output becomes a predicted clean sample.
     *
     * @param time what the network is told
     * @param alpha the signal factor of the network's input
     * @param sigma the noise factor of the network's input
     * @param inputScale what the state is multiplied with before it goes into the network
     * @param prediction what the output means, in the network's coordinates
     * @param clamp what is done to the predicted clean sample
     * @param until the time at which a flow map is told to land; NaN where the network is told one time only
     * @param heads which of the network's outputs count
     */
    public record Call(
            double time,
            double alpha,
            double sigma,
            double inputScale,
            Prediction prediction,
            Clamp clamp,
            double until,
            Heads heads) {
        public Call {
            // Refuses at once what can never be converted, such as noise prediction where nothing of the signal is
            // left.
            prediction.x0FromState(alpha, sigma);
            prediction.x0FromOutput(alpha, sigma);
        }

        /** A call of a network of one head that is told one time. */
        public Call(double time, double alpha, double sigma, double inputScale, Prediction prediction, Clamp clamp) {
            this(time, alpha, sigma, inputScale, prediction, clamp, Double.NaN, Heads.ONLY);
        }

        /** The same of a flow map that is to land at a time. */
        Call landingAt(double end) {
            return new Call(time, alpha, sigma, inputScale, prediction, clamp, end, heads);
        }

        /** The same of some heads. */
        Call of(Heads some) {
            return new Call(time, alpha, sigma, inputScale, prediction, clamp, until, some);
        }

        /** The a of x0 = a * state + b * output. */
        public double x0FromState() {
            return prediction.x0FromState(alpha, sigma) * inputScale;
        }

        /** The b of x0 = a * state + b * output. */
        public double x0FromOutput() {
            return prediction.x0FromOutput(alpha, sigma);
        }
    }

    /**
     * One step.
     *
     * @param call the network call on the current state
     * @param refined the corrected current state, {@code state(0)} where there is no corrector
     * @param next the deterministic part of the next state
     * @param noise how much fresh noise is added to it
     */
    public record Step(Call call, Combination refined, Combination next, NoiseScale noise) {
        /** A step without corrector. */
        public Step(Call call, Combination next, NoiseScale noise) {
            this(call, Combination.state(0), next, noise);
        }

        /** Whether the current state is replaced after the call. */
        public boolean refines() {
            return !refined.equals(Combination.state(0));
        }
    }

    public Plan {
        steps = List.copyOf(steps);
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("the plan of " + solver + " has no step; expected at least 1");
        }
        for (int k = 0; k < steps.size(); k++) {
            requireHistory(solver, k, steps.get(k).refined());
            requireHistory(solver, k, steps.get(k).next());
        }
    }

    /** The same begun at a state instead of unit noise. */
    public Plan fromState() {
        return new Plan(solver, 1, steps);
    }

    /** The same with the noise that its steps add times a factor; what it starts from stays as it is. */
    public Plan withNoiseTimes(double factor) {
        return factor == 1
                ? this
                : new Plan(
                        solver,
                        startScale,
                        steps.stream()
                                .map(step -> new Step(
                                        step.call(),
                                        step.refined(),
                                        step.next(),
                                        step.noise().times(factor)))
                                .collect(Collectors.toList()));
    }

    /** The plan of its first steps alone. */
    public Plan first(int count) {
        return new Plan(solver, startScale, steps.subList(0, count));
    }

    /**
     * The plan of its last steps alone.
     *
     * @throws IllegalArgumentException where one of them needs what an earlier one saw
     */
    public Plan last(int count) {
        return new Plan(solver, startScale, steps.subList(steps.size() - count, steps.size()));
    }

    /** The times told to the network, one per call. */
    public double[] times() {
        return steps.stream().mapToDouble(step -> step.call().time()).toArray();
    }

    /** Whether calls say where they are to land, as those of a flow map do. */
    public boolean tellsEndTimes() {
        return steps.stream().anyMatch(step -> !Double.isNaN(step.call().until()));
    }

    /** Whether any step adds noise: the samples then do not follow from where they start. */
    public boolean addsNoise() {
        return steps.stream().anyMatch(step -> !step.noise().equals(NoiseScale.NONE));
    }

    /**
     * At which step the plan is at each point of the grid it was made on, the end excepted. Where a solver calls the network several
     * times a step, it is told a point's time before the point's own state is reached; the last such call stands on it.
     *
     * @return as many as the grid has steps, rising from 0
     * @throws IllegalArgumentException where the plan does not come by the points one after another
     */
    public int[] stepsAt(TimeGrid grid) {
        int[] at = new int[grid.steps()];
        int step = steps.size();
        for (int i = grid.steps() - 1; i > 0; i--) {
            do {
                step--;
            } while (step > 0 && steps.get(step).call().time() != grid.from(i).time());
            if (step <= 0) {
                throw new IllegalArgumentException("the plan of " + solver + " never calls at time "
                        + grid.from(i).time() + " of the grid " + grid.name() + "; use another solver or grid");
            }
            at[i] = step;
        }
        return at;
    }

    /** How many of the latest tensors of a kind (the current one included) a step may ask for; older ones can be dropped. */
    public int depth(Combination.Source source) {
        int deepest = -1;
        for (Step step : steps) {
            deepest = Math.max(deepest, step.refined().deepest(source));
            deepest = Math.max(deepest, step.next().deepest(source));
        }
        return deepest + 1;
    }

    /** Whether any step reads a variance from the second half of the network's channels. */
    public boolean learnsVariance() {
        return steps.stream().anyMatch(step -> step.noise() instanceof NoiseScale.LearnedRange);
    }

    private static void requireHistory(String solver, int step, Combination combination) {
        for (Combination.Source source : Combination.Source.values()) {
            if (combination.deepest(source) > step) {
                throw new IllegalArgumentException("step " + step + " of the plan of " + solver + " asks for a "
                        + source + " of " + combination.deepest(source) + " steps before; expected at most " + step);
            }
        }
    }
}
