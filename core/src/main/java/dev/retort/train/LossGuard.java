package dev.retort.train;

import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/**
 * Decides which steps are not taken: those with a non-finite loss or gradient, and those whose loss is many times as large
 * as usual. A loss may be negative: sizes are compared. Every stage has losses of its own and so begins anew.
 */
final class LossGuard {
    private static final double EXPLODES_AT = 10;
    private static final int PERSISTS_AT = 20;
    private static final int SETTLING_STEPS = 50;
    private static final double NEWEST_SHARE = 0.02;

    /**
     * What it remembers.
     *
     * @param skipped steps not taken so far
     * @param skippedInARow how many of them were the latest ones
     * @param usual running mean of the size of the loss; of no meaning before the first step
     * @param averaged steps it was taken over
     */
    public record Memory(long skipped, int skippedInARow, double usual, long averaged) {
        /** Nothing yet. */
        static final Memory NONE = new Memory(0, 0, 0, 0);

        /** Validates. */
        public Memory {
            Require.atLeast("skipped", skipped, 0);
            Require.atLeast("skippedInARow", skippedInARow, 0);
            Require.atLeast("usual", usual, 0);
            Require.atLeast("averaged", averaged, 0);
        }
    }

    private Memory memory;

    LossGuard(Memory memory) {
        this.memory = memory;
    }

    /** Forgets what was usual, as another loss follows. */
    void startStage() {
        memory = new Memory(memory.skipped, memory.skippedInARow, 0, 0);
    }

    /** Whether to take the step; throws DIVERGED when bad steps persist. */
    boolean accept(double loss, double gradientNorm, long imagesSeen) {
        double size = Math.abs(loss);
        boolean finite = Double.isFinite(loss) && Double.isFinite(gradientNorm);
        boolean exploding = finite && memory.averaged > SETTLING_STEPS && size > EXPLODES_AT * memory.usual;
        if (finite && !exploding) {
            double usual = memory.averaged == 0 ? size : memory.usual + NEWEST_SHARE * (size - memory.usual);
            memory = new Memory(memory.skipped, 0, usual, memory.averaged + 1);
            return true;
        }
        memory = new Memory(memory.skipped + 1, memory.skippedInARow + 1, memory.usual, memory.averaged);
        if (memory.skippedInARow >= PERSISTS_AT) {
            throw new RetortException(
                    Kind.DIVERGED,
                    "the loss is "
                            + (finite ? "exploding (" + loss + ", usually " + memory.usual + " in size)" : "not finite")
                            + " since " + memory.skippedInARow + " steps, at " + imagesSeen
                            + " images; resume with run.compute.precision fp32 if it was another, or start anew in another"
                            + " folder with a lower run.optimizer.lr or a smaller run.optimizer.clip");
        }
        return false;
    }

    /** What it remembers now. */
    Memory memory() {
        return memory;
    }
}
