package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A rule for the noise levels that a sampler visits, as it stands in presets, cards and after {@code --grid}:
 * {@code leading:offset=1}. {@link TimeGrid} says what each one gives.
 */
public sealed interface GridSpec extends OneLine
        permits GridSpec.Default, TableGrid, LevelGrid, FlowGrid, GridSpec.Even, GridSpec.Times, GridSpec.Foreign {

    /** The ten times of Align Your Steps (Sabour et al. 2024) for the networks it was computed for. */
    static Map<String, String> shorthands() {
        return Map.of(
                "ays-sd15", "times:at=999,850,736,645,545,455,343,233,124,24",
                "ays-sdxl", "times:at=999,845,730,587,443,310,193,116,53,13");
    }

    /**
     * The grid.
     *
     * @throws IllegalArgumentException if the schedule has no such grid of that many steps
     */
    TimeGrid on(NoiseSchedule schedule, int steps);

    /** The number of steps, where the rule itself says it. */
    default OptionalInt steps() {
        return OptionalInt.empty();
    }

    /** Where the last step lands. */
    enum End {
        /** On the clean sample. */
        CLEAN,
        /** On the first entry of the table, its least noise. */
        LOWEST
    }

    /** Between which noise levels a rule lays out its own. */
    enum Range {
        /** The schedule's. */
        SCHEDULE,
        /** The first and the last of the leading grid. */
        LEADING,
        /** The first and the last of the trailing grid. */
        TRAILING
    }

    /** Even times for a flow, trailing ones for a table, those of Karras for others. */
    record Default() implements GridSpec {
        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            if (schedule instanceof FlowLinear flow) {
                return TimeGrid.flow(flow, steps, 1);
            }
            return schedule instanceof DiscreteSchedule table
                    ? TimeGrid.trailing(table, steps)
                    : TimeGrid.karras(schedule, steps);
        }
    }

    /** Evenly in time, for any schedule. */
    record Even() implements GridSpec {
        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            return TimeGrid.uniform(schedule, steps);
        }
    }

    /**
     * These times and no others.
     *
     * @param at what the network is told, from noise to data
     * @param end where the last step lands
     */
    record Times(List<Double> at, End end) implements GridSpec {
        /** Validates. */
        public Times {
            at = Grids.falling(at);
        }

        /** Ends on the clean sample. */
        public Times(List<Double> at) {
            this(at, End.CLEAN);
        }

        @Override
        public OptionalInt steps() {
            return OptionalInt.of(at.size());
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            double[] times = at.stream().mapToDouble(Double::doubleValue).toArray();
            return Grids.ending(TimeGrid.of("times", schedule, times), schedule, end);
        }
    }

    /**
     * A grid of another program that is not built here, as {@link SolverSpec.Foreign}.
     *
     * @param near the grid of ours that comes nearest
     * @param why whose it is, and which of its options ours lacks
     */
    record Foreign(String near, String why) implements GridSpec {
        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            throw new RetortException(
                            Kind.CHECKPOINT,
                            "sampling cannot be planned: the model's own noise levels are those of " + why
                                    + ", which are not built here; name another grid, of which " + near
                                    + " comes nearest")
                    .about("grid");
        }
    }
}
