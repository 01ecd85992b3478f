package dev.retort.quantize;

import dev.retort.card.QuantizationSpec.Activations;
import dev.retort.config.OneLine;
import dev.retort.config.Require;

/** How the inputs of quantised layers are rounded, in one line: {@code none}, {@code dynamic}, {@code static:ranges=8}. */
public sealed interface ActivationsConfig extends OneLine {
    /** The same as cards say it. */
    Activations activations();

    /** Not at all. */
    record None() implements ActivationsConfig {
        @Override
        public Activations activations() {
            return Activations.NONE;
        }
    }

    /** Each row by its own largest value. */
    record Dynamic() implements ActivationsConfig {
        @Override
        public Activations activations() {
            return Activations.DYNAMIC;
        }
    }

    /**
     * By ranges measured in calibration.
     *
     * @param ranges at most so many for each layer: one for each step where there are no more steps, else one for each run of steps
     */
    record Static(int ranges) implements ActivationsConfig {
        /** Validates. */
        public Static {
            Require.atLeast("ranges", ranges, 1);
        }

        /** Eight. */
        public Static() {
            this(8);
        }

        @Override
        public Activations activations() {
            return Activations.STATIC;
        }
    }
}
