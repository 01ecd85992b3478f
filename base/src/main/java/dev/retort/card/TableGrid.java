package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;
import java.util.Arrays;
import java.util.OptionalInt;

/** Rules for schedules that are tables of noise levels. */
public sealed interface TableGrid extends GridSpec {

    /**
     * Multiples of T/N (rounded down), never the noisiest.
     *
     * @param offset added to each
     * @param dropLast lay out one step more and leave out its last call, as multistep solvers of some programs do
     * @param end where the last step lands
     */
    record Leading(int offset, boolean dropLast, End end) implements TableGrid {
        /** Validates. */
        public Leading {
            Require.atLeast("offset", offset, 0);
        }

        /** From time 0. */
        public Leading() {
            this(0, false, End.CLEAN);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            DiscreteSchedule table = Grids.table("leading", schedule);
            TimeGrid grid = dropLast
                    ? TimeGrid.leading(table, steps + 1, offset).withoutLastCall()
                    : TimeGrid.leading(table, steps, offset);
            return Grids.ending(grid, schedule, end);
        }
    }

    /**
     * Multiples of T/N counted down from the noisiest.
     *
     * @param end where the last step lands
     */
    record Trailing(End end) implements TableGrid {
        /** Ends on the clean sample. */
        public Trailing() {
            this(End.CLEAN);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            return Grids.ending(TimeGrid.trailing(Grids.table("trailing", schedule), steps), schedule, end);
        }
    }

    /**
     * Evenly from the noisiest time to time 0.
     *
     * @param fractional whether times are left unrounded, for networks that take them
     * @param dropLast as in {@link Leading}
     * @param end where the last step lands
     */
    record Linspace(boolean fractional, boolean dropLast, End end) implements TableGrid {
        /** Whole times. */
        public Linspace() {
            this(false, false, End.CLEAN);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            DiscreteSchedule table = Grids.table("linspace", schedule);
            int laid = dropLast ? steps + 1 : steps;
            TimeGrid grid = fractional ? TimeGrid.fractional(table, laid) : TimeGrid.linspace(table, laid);
            return Grids.ending(dropLast ? grid.withoutLastCall() : grid, schedule, end);
        }
    }

    /**
     * DiT's respacing.
     *
     * @param counts times in each of equal sections of the table, {@code 10,20,30}; or {@code ddim50}; empty for one section
     * @param end where the last step lands
     */
    record Respaced(String counts, End end) implements TableGrid {
        /** Validates. */
        public Respaced {
            Require.that(
                    counts.matches("|ddim\\d{1,6}|\\d{1,6}(,\\d{1,6})*"),
                    "counts",
                    "'" + counts + "'",
                    "whole numbers such as 10,20,30, or such as ddim50");
        }

        /** One section. */
        public Respaced() {
            this("", End.CLEAN);
        }

        @Override
        public OptionalInt steps() {
            return counts.isEmpty()
                    ? OptionalInt.empty()
                    : OptionalInt.of(Arrays.stream(counts.replace("ddim", "").split(","))
                            .mapToInt(Integer::parseInt)
                            .sum());
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            String spec = counts.isEmpty() ? Integer.toString(steps) : counts;
            return Grids.ending(TimeGrid.respaced(Grids.table("respaced", schedule), spec), schedule, end);
        }
    }

    /**
     * The times of latent consistency models.
     *
     * @param original how many times the student was distilled on
     * @param end where the last step lands
     */
    record Consistency(int original, End end) implements TableGrid {
        /** Validates. */
        public Consistency {
            Require.atLeast("original", original, 1);
        }

        /** The usual 50. */
        public Consistency() {
            this(50, End.CLEAN);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            DiscreteSchedule table = Grids.table("consistency", schedule);
            return Grids.ending(TimeGrid.consistency(table, steps, original), schedule, end);
        }
    }
}
