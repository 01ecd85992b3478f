package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Multistep sampling of a consistency model (Song et al. 2023, algorithm 1; Luo et al. 2023): jump to the clean sample, add fresh noise up to the next time. On
 * tables the jump has the boundary form c_skip x + c_out x0 with c_skip = d^2/((s t)^2 + d^2), c_out = s t/sqrt((s t)^2 + d^2), d = 0.5; elsewhere it is x0.
 *
 * @param timeScaling s, 10 for published models
 */
public record Lcm(double timeScaling) implements Solver {
    private static final double DATA = 0.5;

    public Lcm {
        if (!(timeScaling > 0)) {
            throw new IllegalArgumentException("timeScaling is " + timeScaling + ", expected above 0");
        }
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
                    NoiseScale.fixed(last ? 0 : grid.to(i).sigma())));
        }
        return new Plan(name(), process.startScale(), steps);
    }

    private Combination jump(Process process, TimeGrid.Point t) {
        if (!(process.schedule() instanceof DiscreteSchedule)) {
            return Combination.x0(0);
        }
        double scaled = timeScaling * t.time();
        double total = scaled * scaled + DATA * DATA;
        return Combination.state(0)
                .times(DATA * DATA / total)
                .plus(Combination.x0(0).times(scaled / Math.sqrt(total)));
    }
}
