package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import dev.retort.diffusion.Clamp;

/** How the predicted clean sample is kept in range, as it stands in presets, cards and after {@code --clamp}. */
public sealed interface ClampSpec extends OneLine {

    /**
     * The clamp.
     *
     * @param usual the one that the network's process has
     */
    Clamp over(Clamp usual);

    /** As the network's process says: pixels are bounded, latents are not. */
    record Default() implements ClampSpec {
        @Override
        public Clamp over(Clamp usual) {
            return usual;
        }
    }

    /** None. */
    record None() implements ClampSpec {
        @Override
        public Clamp over(Clamp usual) {
            return Clamp.NONE;
        }
    }

    /**
     * Every value is cut to ±limit.
     *
     * @param limit above 0
     */
    record Range(double limit) implements ClampSpec {
        /** Validates. */
        public Range {
            Require.positive("limit", limit);
        }

        /** Pixels. */
        public Range() {
            this(1);
        }

        @Override
        public Clamp over(Clamp usual) {
            return Clamp.to(limit);
        }
    }

    /**
     * Dynamic thresholding (Saharia et al. 2022): each sample is cut at a quantile of its absolute values and divided by it.
     *
     * @param quantile 0 to 1
     * @param max largest value at which it is cut, at least 1
     */
    record Dynamic(double quantile, double max) implements ClampSpec {
        /** Validates. */
        public Dynamic {
            Require.between("quantile", quantile, 0, 1);
            Require.atLeast("max", max, 1);
        }

        /** The usual quantile; cut at 1. */
        public Dynamic() {
            this(0.995, 1);
        }

        @Override
        public Clamp over(Clamp usual) {
            return new Clamp.Dynamic(quantile, max);
        }
    }
}
