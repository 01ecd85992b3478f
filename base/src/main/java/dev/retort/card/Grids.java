package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import java.util.ArrayList;
import java.util.List;

/** What several rules of {@link GridSpec} share. */
final class Grids {
    private Grids() {}

    static DiscreteSchedule table(String grid, NoiseSchedule schedule) {
        if (schedule instanceof DiscreteSchedule table) {
            return table;
        }
        throw new IllegalArgumentException("the grid " + grid + " needs a table of noise levels, but the schedule is "
                + schedule.name() + "; use default, even, karras, exponential"
                + (schedule instanceof FlowLinear ? " or flow" : ""));
    }

    static TimeGrid ending(TimeGrid grid, NoiseSchedule schedule, GridSpec.End end) {
        return end == GridSpec.End.CLEAN
                ? grid
                : grid.endingAt(table("that ends at the lowest level", schedule).point(0));
    }

    static TimeGrid flow(String grid, NoiseSchedule schedule, int steps, double shift, double lowest) {
        if (schedule instanceof FlowLinear flow) {
            return lowest == 0 ? TimeGrid.flow(flow, steps, shift) : TimeGrid.flowDownTo(flow, steps, lowest, shift);
        }
        throw new IllegalArgumentException("the grid " + grid + " needs the schedule flow, but it is " + schedule.name()
                + "; use default, even, leading, trailing, linspace or karras");
    }

    static void requireRange(double min, double max, GridSpec.Range range, int offset) {
        Require.atLeast("min", min, 0);
        Require.atLeast("max", max, 0);
        Require.that(max == 0 || max > min, "max", max, "0, or above min");
        Require.atLeast("offset", offset, 0);
        Require.that(
                offset == 0 || range == GridSpec.Range.LEADING, "offset", offset, "0, or the range leading beside it");
    }

    /** The smallest and the largest noise ratio. */
    static double[] range(NoiseSchedule schedule, int steps, double min, double max, GridSpec.Range range, int offset) {
        if (range == GridSpec.Range.SCHEDULE) {
            return new double[] {
                min > 0 ? min : TimeGrid.lowestRatio(schedule), max > 0 ? max : TimeGrid.highestRatio(schedule)
            };
        }
        TimeGrid over = range == GridSpec.Range.LEADING
                ? TimeGrid.leading(table("leading", schedule), steps, offset)
                : TimeGrid.trailing(table("trailing", schedule), steps);
        return new double[] {
            min > 0 ? min : over.from(steps - 1).noiseRatio(),
            max > 0 ? max : over.from(0).noiseRatio()
        };
    }

    static List<Double> falling(List<Double> at) {
        Require.notEmpty("at", at);
        for (int i = 1; i < at.size(); i++) {
            Require.that(at.get(i) < at.get(i - 1), "at", at.get(i), "below " + at.get(i - 1) + ", the one before it");
        }
        return List.copyOf(at);
    }

    static TimeGrid ofSigmas(NoiseSchedule schedule, List<Double> sigmas) {
        List<TimeGrid.Point> points = new ArrayList<>();
        for (double sigma : sigmas) {
            points.add(
                    schedule instanceof FlowLinear flow
                            ? flow.point(sigma * flow.timeScale())
                            : schedule.pointOfRatio(sigma));
        }
        points.add(schedule.point(schedule.cleanTime()));
        return new TimeGrid("sigmas", points);
    }
}
