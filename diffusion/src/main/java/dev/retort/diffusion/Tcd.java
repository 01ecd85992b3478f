package dev.retort.diffusion;

import java.util.ArrayList;
import java.util.List;

/**
 * Strategic stochastic sampling of trajectory consistency distillation (Zheng et al. 2024, algorithm 4): a DDIM step to a time s below the next one, s = (1 -
 * gamma) t_next, then fresh noise up to t_next. The last step is the DDIM step alone.
 *
 * @param gamma 0 deterministic, 1 as {@link Lcm}
 */
public record Tcd(double gamma) implements Solver {
    public Tcd {
        if (!(gamma >= 0 && gamma <= 1)) {
            throw new IllegalArgumentException("gamma is " + gamma + ", expected 0..1");
        }
    }

    /** The usual 0.3. */
    public Tcd() {
        this(0.3);
    }

    @Override
    public String name() {
        return "tcd";
    }

    @Override
    public Plan plan(Process process, TimeGrid grid) {
        List<Plan.Step> steps = new ArrayList<>();
        for (int i = 0; i < grid.steps(); i++) {
            TimeGrid.Point t = grid.from(i);
            TimeGrid.Point next = grid.to(i);
            TimeGrid.Point s = i == grid.steps() - 1 ? next : below(process.schedule(), next);
            double keep = next.alpha() / s.alpha();
            Combination jump = Combination.x0(0)
                    .times(s.alpha())
                    .plus(process.eps(t, true).times(s.sigma()))
                    .times(keep);
            double variance = next.sigma() * next.sigma() - keep * keep * s.sigma() * s.sigma();
            NoiseScale noise = s.equals(next) ? NoiseScale.NONE : NoiseScale.fixed(Math.sqrt(Math.max(variance, 0)));
            steps.add(new Plan.Step(process.call(t), jump, noise));
        }
        return new Plan(name() + "(" + gamma + ")", process.startScale(), steps);
    }

    private TimeGrid.Point below(NoiseSchedule schedule, TimeGrid.Point next) {
        double time = (1 - gamma) * next.time();
        return gamma == 0 ? next : schedule.point(schedule instanceof DiscreteSchedule ? Math.floor(time) : time);
    }
}
