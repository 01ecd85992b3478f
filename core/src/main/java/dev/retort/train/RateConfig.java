package dev.retort.train;

import dev.retort.config.OneLine;
import dev.retort.config.Require;

/** How the learning rate goes on after its warm-up, in one line: {@code cosine}, {@code polynomial:power=2}. */
public sealed interface RateConfig extends OneLine {
    /**
     * The share of the highest rate.
     *
     * @param progress 0 after the warm-up to 1 at the end of the run
     */
    double share(double progress);

    /** It stays. */
    record Constant() implements RateConfig {
        @Override
        public double share(double progress) {
            return 1;
        }
    }

    /** Half a cosine down to 0. */
    record Cosine() implements RateConfig {
        @Override
        public double share(double progress) {
            return 0.5 * (1 + Math.cos(Math.PI * progress));
        }
    }

    /**
     * A straight line.
     *
     * @param end share at the end
     */
    record Linear(double end) implements RateConfig {
        /** Validates. */
        public Linear {
            Require.between("end", end, 0, 1);
        }

        /** Down to 0. */
        public Linear() {
            this(0);
        }

        @Override
        public double share(double progress) {
            return end + (1 - end) * (1 - progress);
        }
    }

    /**
     * A power of what is left.
     *
     * @param power above 1 falls fast and then slowly
     * @param end share at the end
     */
    record Polynomial(double power, double end) implements RateConfig {
        /** Validates. */
        public Polynomial {
            Require.positive("power", power);
            Require.between("end", end, 0, 1);
        }

        /** A parabola down to 0. */
        public Polynomial() {
            this(2, 0);
        }

        @Override
        public double share(double progress) {
            return end + (1 - end) * Math.pow(1 - progress, power);
        }
    }

    /**
     * Half a cosine down to 0, again and again (Loshchilov and Hutter 2017, equal cycles).
     *
     * @param cycles how often
     */
    record Restarts(int cycles) implements RateConfig {
        /** Validates. */
        public Restarts {
            Require.atLeast("cycles", cycles, 1);
        }

        /** Three times. */
        public Restarts() {
            this(3);
        }

        @Override
        public double share(double progress) {
            return progress >= 1 ? 0 : 0.5 * (1 + Math.cos(Math.PI * (cycles * progress % 1)));
        }
    }
}
