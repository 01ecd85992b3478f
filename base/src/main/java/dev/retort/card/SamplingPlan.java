package dev.retort.card;

import dev.retort.diffusion.Heads;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.ParallelGrid;
import dev.retort.diffusion.Plan;
import dev.retort.diffusion.Process;
import dev.retort.diffusion.Solver;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.stream.IntStream;

/** Turns what is said of sampling into the plan that an executor runs. */
public final class SamplingPlan {
    private SamplingPlan() {}

    /**
     * The plan for a model; one that tells the network where a step ends is refused where the network is not told it, and one that reads a
     * single output where it has several.
     */
    public static Plan of(ModelCard card, SamplingSpec sampling) {
        return of(card, sampling, 1);
    }

    /**
     * The plan of the last steps for a model, begun at a state that is not noise alone. A solver of several steps starts anew there.
     *
     * @param strength their share of all steps, above 0
     * @throws RetortException of kind USAGE where that is not a whole step
     */
    public static Plan of(ModelCard card, SamplingSpec sampling, double strength) {
        int outputs = card.network().outputs();
        if (outputs > 1 && !(sampling.solver() instanceof SolverSpec.ParallelEuler)) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "sampling cannot be planned: the solver "
                            + sampling.solver().text()
                            + " reads one output of the network, but "
                            + card.network().name() + " has " + outputs
                            + ", each for its own part of the way; use parallel-euler");
        }
        Plan plan = of(card.process().process(), sampling, card.network().learnSigma(), outputs, strength);
        if (plan.tellsEndTimes() && !card.network().scalars().hasEndTime()) {
            throw new RetortException(
                    Kind.CHECKPOINT,
                    "sampling cannot be planned: the solver "
                            + sampling.solver().text()
                            + " tells the network where a step ends, which "
                            + card.network().name()
                            + " is not told; use flow-euler or flow-heun, or train with the loss flow-map");
        }
        return plan;
    }

    /**
     * The plan for networks of one output; of a solver that reads several, for those with one for each step.
     *
     * @param learnedVariance whether the network has channels for a variance
     * @throws RetortException of kind CHECKPOINT where the process cannot be sampled in that way
     */
    public static Plan of(ProcessSpec process, SamplingSpec sampling, boolean learnedVariance) {
        return of(process.process(), sampling, learnedVariance);
    }

    /** The same for a process that no specification describes. */
    public static Plan of(Process process, SamplingSpec sampling, boolean learnedVariance) {
        return of(process, sampling, learnedVariance, sampling.steps(), 1);
    }

    private static Plan of(
            Process process, SamplingSpec sampling, boolean learnedVariance, int outputs, double strength) {
        NoiseSchedule schedule = process.schedule();
        try {
            SolverSetting setting = new SolverSetting(schedule, sampling.steps(), learnedVariance, outputs);
            Solver solver = sampling.solver().solver(setting);
            Process clamped =
                    new Process(schedule, process.prediction(), sampling.clamp().over(process.clamp()));
            int intervals = sampling.solver().intervals(setting);
            TimeGrid grid = sampling.grid().on(schedule, intervals);
            if (intervals != sampling.steps() && grid.steps() != intervals) {
                throw new IllegalArgumentException("the grid " + sampling.grid().text() + " has " + grid.steps()
                        + " intervals, but the network an output for each of " + intervals + "; use flow or even");
            }
            int kept = last(sampling.steps(), strength);
            Plan plan = sampling.solver() instanceof SolverSpec.ParallelEuler
                    ? solver.plan(clamped, grid).last(kept) // each step reads its own outputs of the network
                    : solver.plan(clamped, grid.last(kept));
            return tempered(plan, sampling);
        } catch (IllegalArgumentException e) {
            throw new RetortException(Kind.CHECKPOINT, "sampling cannot be planned: " + e.getMessage(), e);
        }
    }

    /**
     * In which sums the ways of sampling that a model was trained for read the outputs of its network, each of them in blocks of such
     * sums: of those that several numbers of steps read, as few as serve all of them. As many as there are outputs where nothing is known.
     */
    public static List<Heads> fusedHeads(ModelCard card) {
        int outputs = card.network().outputs();
        if (outputs == 1) {
            return List.of(Heads.ONLY);
        }
        TrainedFor ways = card.trainedFor();
        int blocks = ways.steps().isEmpty()
                ? outputs
                : ways.steps().stream().reduce(1, (a, b) -> a / gcd(a, b) * b); // the least common multiple
        if (!(ways.solver() instanceof SolverSpec.ParallelEuler) || outputs % blocks != 0) {
            blocks = outputs;
        }
        ParallelGrid grid =
                new ParallelGrid(card.sampling().grid().on(card.process().noiseSchedule(), outputs));
        int span = outputs / blocks;
        return IntStream.range(0, blocks)
                .mapToObj(block -> grid.fused(block * span, (block + 1) * span))
                .toList();
    }

    /** 29 of 50 at 0.58, though as a double that is a little less. */
    private static int last(int steps, double strength) {
        int last = (int) Math.floor(steps * strength + 1e-9);
        if (last < 1) {
            throw new RetortException(
                            Kind.USAGE,
                            "strength is " + strength + ", which of " + steps
                                    + (steps == 1 ? " step" : " steps") + " leaves none; give at least "
                                    + Math.ceil(1000.0 / steps) / 1000 + ", or ask for more steps")
                    .about("strength");
        }
        return last;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    private static Plan tempered(Plan plan, SamplingSpec sampling) {
        if (sampling.temperature() != 1 && !plan.addsNoise()) {
            throw new IllegalArgumentException(
                    "temperature is " + sampling.temperature() + ", but "
                            + sampling.solver().text() + " in " + sampling.steps()
                            + " steps adds no noise that it could scale; leave it at 1, or take a solver that adds some, such as ddim:eta=1");
        }
        return plan.withNoiseTimes(sampling.temperature());
    }
}
