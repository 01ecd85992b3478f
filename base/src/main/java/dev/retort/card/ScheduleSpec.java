package dev.retort.card;

import dev.retort.config.OneLine;
import dev.retort.config.Require;
import dev.retort.diffusion.DiscreteSchedule;
import dev.retort.diffusion.FlowLinear;
import dev.retort.diffusion.KarrasSchedule;
import dev.retort.diffusion.NoiseSchedule;

/** How noise grows with time, as it stands in configurations and cards: {@code flow}, {@code linear:betaEnd=0.02}. */
public sealed interface ScheduleSpec extends OneLine {
    /** The schedule itself. */
    NoiseSchedule noise();

    /** Its name, without its options. */
    default String name() {
        return text().split(":", 2)[0];
    }

    /** A table of noise levels, a level for each step. */
    sealed interface Table extends ScheduleSpec {
        /** Levels of the table. */
        int steps();

        /** Whether the table is rescaled so that its last entry is pure noise. */
        boolean zeroTerminalSnr();

        /** The table before it is rescaled. */
        DiscreteSchedule plain();

        @Override
        default NoiseSchedule noise() {
            return zeroTerminalSnr() ? plain().withZeroTerminalSnr() : plain();
        }
    }

    /** A table made of a first and a last beta. */
    sealed interface Betas extends Table {
        /** First beta, above 0 and below 1. */
        double betaStart();

        /** Last beta, above 0 and below 1. */
        double betaEnd();
    }

    /**
     * Straight lines from data to noise.
     *
     * @param steps the time that the network is told at pure noise
     */
    record Flow(int steps) implements ScheduleSpec {
        /** Validates. */
        public Flow {
            Require.atLeast("steps", steps, 1);
        }

        /** Times 0 to 1000. */
        public Flow() {
            this(1000);
        }

        @Override
        public NoiseSchedule noise() {
            return new FlowLinear(steps);
        }
    }

    /** Betas in equal steps (Ho et al. 2020). */
    record Linear(int steps, double betaStart, double betaEnd, boolean zeroTerminalSnr) implements Betas {
        /** Validates. */
        public Linear {
            require(steps, betaStart, betaEnd);
        }

        /** The paper's: 1000 steps from 1e-4 to 0.02. */
        public Linear() {
            this(1000, 1e-4, 0.02, false);
        }

        @Override
        public DiscreteSchedule plain() {
            return DiscreteSchedule.linear(steps, betaStart, betaEnd);
        }
    }

    /** Square roots of betas in equal steps, as Stable Diffusion has them. */
    record ScaledLinear(int steps, double betaStart, double betaEnd, boolean zeroTerminalSnr) implements Betas {
        /** Validates. */
        public ScaledLinear {
            require(steps, betaStart, betaEnd);
        }

        /** Stable Diffusion's: 1000 steps from 0.00085 to 0.012. */
        public ScaledLinear() {
            this(1000, 0.00085, 0.012, false);
        }

        @Override
        public DiscreteSchedule plain() {
            return DiscreteSchedule.scaledLinear(steps, betaStart, betaEnd);
        }
    }

    /** The squared cosine (Nichol and Dhariwal 2021). */
    record Cosine(int steps, boolean zeroTerminalSnr) implements Table {
        /** Validates. */
        public Cosine {
            Require.atLeast("steps", steps, 1);
        }

        /** The paper's: 1000 steps. */
        public Cosine() {
            this(1000, false);
        }

        @Override
        public DiscreteSchedule plain() {
            return DiscreteSchedule.cosine(steps);
        }
    }

    /** The cosine in continuous time. */
    record CosineLogSnr() implements ScheduleSpec {
        @Override
        public NoiseSchedule noise() {
            return new dev.retort.diffusion.CosineLogSnr();
        }
    }

    /** The noise of EDM (Karras et al. 2022). */
    record Karras() implements ScheduleSpec {
        @Override
        public NoiseSchedule noise() {
            return new KarrasSchedule();
        }
    }

    /** A quarter of a circle from data to noise. */
    record TrigFlow() implements ScheduleSpec {
        @Override
        public NoiseSchedule noise() {
            return new dev.retort.diffusion.TrigFlow(1);
        }
    }

    private static void require(int steps, double betaStart, double betaEnd) {
        Require.atLeast("steps", steps, 1);
        Require.that(betaStart > 0 && betaStart < 1, "betaStart", betaStart, "above 0 and below 1");
        Require.that(betaEnd > 0 && betaEnd < 1, "betaEnd", betaEnd, "above 0 and below 1");
    }
}
