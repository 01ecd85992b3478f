package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Multistep sampling of a consistency model (Song et al. 2023, algorithm 1; Luo et al. 2023): jump to the clean sample, add fresh noise up to the next time. On
 * tables the jump has the form {@link BoundaryScaling#ofTime}; elsewhere it is x0.
 *
 * @param timeScaling the s of that form, 10 for published models
 * @param least the sigma/alpha at which the student's jumps end, which the fresh noise makes up for (sigma_min of Song et al.); usually 0
 */
public record Lcm(double timeScaling, double least) implements Solver {
    public Lcm {
        if (!(timeScaling > 0)) {
            throw new IllegalArgumentException("timeScaling is " + timeScaling + ", expected above 0");
        }
        if (!(least >= 0) || Double.isInfinite(least)) {
            throw new IllegalArgumentException("least is " + least + ", expected a finite number of at least 0");
        }
    }

    /** For jumps that end in the clean sample. */
    public Lcm(double timeScaling) {
        this(timeScaling, 0);
    }

    /** The scaling of published models. */
    public Lcm() {
        this(10);
    }

    @Override
    public String name() {
        return "lcm";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point t = grid.from(i);
            boolean last = i == grid.steps() - 1;
            Combination jump = jump(process, t);
            steps.add(new Plan.Step(
                    process.call(t),
                    last ? jump : jump.times(grid.to(i).alpha()),
                    last ? NoiseScale.NONE : NoiseScale.fixed(noise(grid.to(i)))));
        }
        return new Plan(name(), process.startScale(), steps);
    }

    private double noise(TimeGrid.Point next) {
        double kept = next.alpha() * least;
        return kept == 0 ? next.sigma() : Math.sqrt(Math.max(next.sigma() * next.sigma() - kept * kept, 0));
    }

    /** The form of its jump from a time of a schedule, with which a student has to be trained as well. */
    public BoundaryScaling form(NoiseSchedule schedule, double time) {
        return schedule instanceof DiscreteSchedule ? BoundaryScaling.ofTime(time, timeScaling) : BoundaryScaling.NONE;
    }

    private Combination jump(Process process, TimeGrid.Point t) {
        BoundaryScaling form = form(process.schedule(), t.time());
        return Combination.state(0).times(form.skip()).plus(Combination.x0(0).times(form.out()));
    }
}
