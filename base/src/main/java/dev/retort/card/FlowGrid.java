package dev.retort.card;

import dev.retort.config.Require;
import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.TimeGrid;

/** Rules for flows. */
public sealed interface FlowGrid extends GridSpec {

    /**
     * Even times of a flow, shifted (Esser et al. 2024).
     *
     * @param shift above 1 puts more steps near the noise
     * @param lowest last time before the shift, of 0 to 1; 0 for the even ones
     */
    record Flow(double shift, double lowest) implements FlowGrid {
        /** Validates. */
        public Flow {
            Require.positive("shift", shift);
            Require.that(lowest >= 0 && lowest < 1, "lowest", lowest, "at least 0 and below 1");
        }

        /** Even times. */
        public Flow() {
            this(1, 0);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            return Grids.flow("flow", schedule, steps, shift, lowest);
        }
    }

    /**
     * The same with a shift that grows with the image: exp(mu), mu on the line from (baseTokens, baseShift) to (maxTokens, maxShift).
     *
     * @param tokens tokens of the image in the network
     * @param baseShift mu at {@code baseTokens}
     * @param maxShift mu at {@code maxTokens}
     * @param baseTokens tokens of a small image
     * @param maxTokens tokens of a large one
     * @param lowest as in {@link Flow}
     */
    record FlowDynamic(int tokens, double baseShift, double maxShift, int baseTokens, int maxTokens, double lowest)
            implements FlowGrid {
        /** Validates. */
        public FlowDynamic {
            Require.atLeast("tokens", tokens, 1);
            Require.atLeast("baseTokens", baseTokens, 1);
            Require.atLeast("maxTokens", maxTokens, baseTokens + 1);
            Require.that(lowest >= 0 && lowest < 1, "lowest", lowest, "at least 0 and below 1");
        }

        /** The usual line. */
        public FlowDynamic(int tokens) {
            this(tokens, 0.5, 1.15, 256, 4096, 0);
        }

        @Override
        public TimeGrid on(NoiseSchedule schedule, int steps) {
            double slope = (maxShift - baseShift) / (maxTokens - baseTokens);
            double shift = StrictMath.exp(baseShift + slope * (tokens - baseTokens));
            return Grids.flow("flow-dynamic", schedule, steps, shift, lowest);
        }
    }
}
