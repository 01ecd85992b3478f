package dev.retort.train;

import dev.retort.config.OneLine;
import dev.retort.config.Require;

/** How the decay of a moving average rises to its full value, in one line: {@code inverse}, {@code power:power=0.75}. */
public sealed interface EmaWarmup extends OneLine {
    /**
     * The decay of an update.
     *
     * @param full the full decay
     * @param updates how many were made before it
     */
    double decay(double full, long updates);

    /** min(d, (1 + n) / (10 + n)) after n updates. */
    record Inverse() implements EmaWarmup {
        @Override
        public double decay(double full, long updates) {
            return Math.min(full, (1.0 + updates) / (10.0 + updates));
        }
    }

    /**
     * min(d, 1 - (1 + n / scale)^-power) after n updates.
     *
     * @param power 2/3 reaches 0.999 after 31 thousand updates, 3/4 after ten thousand
     * @param scale updates until it has begun to rise
     */
    record Power(double power, double scale) implements EmaWarmup {
        /** Validates. */
        public Power {
            Require.positive("power", power);
            Require.positive("scale", scale);
        }

        /** For runs of a million updates. */
        public Power() {
            this(2.0 / 3, 1);
        }

        @Override
        public double decay(double full, long updates) {
            return Math.min(full, 1 - Math.pow(1 + updates / scale, -power));
        }
    }

    /** The full decay from the first update on, as a consistency target has it. */
    record None() implements EmaWarmup {
        @Override
        public double decay(double full, long updates) {
            return full;
        }
    }
}
