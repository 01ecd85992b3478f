package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Euler with a network of several heads, each of which says the mean velocity of one interval of the grid ({@link ParallelGrid}): called at the start
 * of a block of intervals, it leads to the block's end in one step. The schedule must be {@link FlowLinear}.
 *
 * @param span intervals of a block; the plan has as many steps as the grid has blocks
 */
public record ParallelEuler(int span) implements Solver {
    /** A step for each head. */
    public ParallelEuler() {
        this(1);
    }

    @Override
    public String name() {
        return "parallel-euler";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        FlowEuler.requireStraight(name(), process);
        ParallelGrid heads = new ParallelGrid(grid);
        List<Plan.Step> steps = new ArrayList<>();
        for (Plan.Step step : new FlowEuler().plan(process, heads.blocks(span)).steps()) {
            int start = steps.size() * span;
            steps.add(new Plan.Step(step.call().of(heads.fused(start, start + span)), step.next(), step.noise()));
        }
        return new Plan(name(), process.startScale(), steps);
    }
}
