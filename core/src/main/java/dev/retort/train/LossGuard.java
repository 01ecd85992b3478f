package dev.retort.train;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;

/** Decides which steps are not taken: those with a non-finite loss or gradient, and those whose loss explodes. */
final class LossGuard {
    private static final double EXPLODES_AT = 10;
    private static final int PERSISTS_AT = 20;
    private static final int SETTLING_STEPS = 50;

    private long skipped;
    private int inARow;
    private double average;
    private long steps;

    LossGuard(TrainState state) {
        skipped = state.skippedSteps();
        inARow = state.skippedInARow();
        average = state.averageLoss();
        steps = state.steps();
    }

    /** Whether to take the step; throws DIVERGED when bad steps persist. */
    boolean accept(double loss, double gradientNorm, long imagesSeen) {
        boolean finite = Double.isFinite(loss) && Double.isFinite(gradientNorm);
        boolean exploding = finite && steps > SETTLING_STEPS && loss > EXPLODES_AT * average;
        if (finite && !exploding) {
            inARow = 0;
            steps++;
            average = average < 0 ? loss : average + 0.02 * (loss - average);
            return true;
        }
        skipped++;
        inARow++;
        if (inARow >= PERSISTS_AT) {
            throw new RetortException(
                    Kind.DIVERGED,
                    "the loss is " + (finite ? "exploding (" + loss + ", usually " + average + ")" : "not finite")
                            + " since "
                            + inARow + " steps, at " + imagesSeen
                            + " images; resume from the last checkpoint with a lower optimizer.lr, a smaller"
                            + " optimizer.clip, or precision fp32");
        }
        return false;
    }

    long skipped() {
        return skipped;
    }

    int inARow() {
        return inARow;
    }

    double average() {
        return average;
    }
}
