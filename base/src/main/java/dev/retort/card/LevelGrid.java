package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import java.util.List;
import java.util.OptionalInt;

/** Rules that lay out noise levels, not times; for any schedule. */
public sealed interface LevelGrid extends GridSpec {

    /**
     * The noise levels of Karras et al. 2022.
     *
     * @param rho more puts more steps near the data
     * @param min smallest sigma/alpha; 0 for that of the range
     * @param max largest sigma/alpha; 0 for that of the range
     * @param range whence smallest and largest are taken
     * @param offset of the leading grid that is the range
     * @param wholeTimes tell the network whole times
     * @param end where the last step lands
     */
    record Karras(double rho, double min, double max, Range range, int offset, boolean wholeTimes, End end)
            implements LevelGrid {
        /** Validates. */
        public Karras {
            Require.positive("rho", rho);
            Grids.requireRange(min, max, range, offset);
        }

        /** The paper's, over the schedule's range. */
        public Karras() {
            this(7, 0, 0, Range.SCHEDULE, 0, false, End.CLEAN);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            double[] ratios = Grids.range(schedule, steps, min, max, range, offset);
            TimeGrid grid = TimeGrid.karras(schedule, steps, ratios[0], ratios[1], rho);
            return Grids.ending(wholeTimes ? grid.withWholeTimes() : grid, schedule, end);
        }
    }

    /**
     * Noise levels in geometric progression; the components are those of {@link Karras}.
     *
     * @param min smallest sigma/alpha; 0 for that of the range
     * @param max largest sigma/alpha; 0 for that of the range
     * @param range whence smallest and largest are taken
     * @param offset of the leading grid that is the range
     * @param wholeTimes tell the network whole times
     * @param end where the last step lands
     */
    record Exponential(double min, double max, Range range, int offset, boolean wholeTimes, End end)
            implements LevelGrid {
        /** Validates. */
        public Exponential {
            Grids.requireRange(min, max, range, offset);
        }

        /** Over the schedule's range. */
        public Exponential() {
            this(0, 0, Range.SCHEDULE, 0, false, End.CLEAN);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            double[] ratios = Grids.range(schedule, steps, min, max, range, offset);
            TimeGrid grid = TimeGrid.exponential(schedule, steps, ratios[0], ratios[1]);
            return Grids.ending(wholeTimes ? grid.withWholeTimes() : grid, schedule, end);
        }
    }

    /**
     * These noise levels and no others.
     *
     * @param at sigma of a flow, sigma/alpha of other schedules, from noise to data
     * @param end where the last step lands
     */
    record Sigmas(List<Double> at, End end) implements LevelGrid {
        /** Validates. */
        public Sigmas {
            at = Grids.falling(at);
        }

        /** Ends on the clean sample. */
        public Sigmas(List<Double> at) {
            this(at, End.CLEAN);
        }

        @Override
        public OptionalInt steps() {
            return OptionalInt.of(at.size());
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            return Grids.ending(Grids.ofSigmas(schedule, at), schedule, end);
        }
    }
}
