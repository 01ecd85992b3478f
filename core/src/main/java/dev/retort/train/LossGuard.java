package dev.retort.train;

import dev.retort.config.Require;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Decides which of a player's steps are not taken: those with a non-finite loss or gradient, those whose loss is far from the
 * running median, and those with a gradient far beyond its own. A loss may be negative. Every stage has losses of its own and so
 * begins anew.
 */
final class LossGuard {
    /** Losses of single batches stay well within ten times of what is usual; what lies beyond has left the valley. */
    private static final double LOSS_EXPLODES_AT = 10;

    /** Clipping takes care of large gradients; one a thousand times as large as usual has no direction worth a step. */
    private static final double GRADIENT_EXPLODES_AT = 1000;

    /** One bad batch is no reason to stop; so many in a row are. */
    private static final int PERSISTS_AT = 20;

    /** Steps to look back, and to wait before anything is called unusual: at a stage's start losses fall quickly. */
    private static final int WINDOW = 51;

    /**
     * What it remembers.
     *
     * @param skipped steps not taken so far
     * @param skippedInARow how many of them were the latest ones
     * @param losses of the latest steps taken
     * @param norms of their gradients
     */
    public record Memory(long skipped, int skippedInARow, List<Double> losses, List<Double> norms) {
        /** Nothing yet. */
        static final Memory NONE = new Memory(0, 0, List.of(), List.of());

        /** Validates. */
        public Memory {
            Require.atLeast("skipped", skipped, 0);
            Require.atLeast("skippedInARow", skippedInARow, 0);
            losses = List.copyOf(losses);
            norms = List.copyOf(norms);
        }
    }

    private Memory memory;

    LossGuard(Memory memory) {
        this.memory = memory;
    }

    /** Forgets what was usual, as another loss follows. */
    void startStage() {
        memory = new Memory(memory.skipped, memory.skippedInARow, List.of(), List.of());
    }

    /** Whether to take the step; throws DIVERGED when bad steps persist. */
    boolean accept(double loss, double gradientNorm, long imagesSeen) {
        boolean finite = Double.isFinite(loss) && Double.isFinite(gradientNorm);
        if (finite && !isExploding(loss, gradientNorm)) {
            memory = new Memory(memory.skipped, 0, with(memory.losses, loss), with(memory.norms, gradientNorm));
            return true;
        }
        memory = new Memory(memory.skipped + 1, memory.skippedInARow + 1, memory.losses, memory.norms);
        if (memory.skippedInARow >= PERSISTS_AT) {
            throw new RetortException(
                    Kind.DIVERGED,
                    "the loss is "
                            + (finite
                                    ? "exploding (" + loss + ", usually " + median(memory.losses)
                                            + "; norm of the gradient " + gradientNorm + ", usually "
                                            + median(memory.norms) + ")"
                                    : "not finite")
                            + " since " + memory.skippedInARow + " steps, at " + imagesSeen
                            + " images; resume with run.compute.precision fp32 if it was another, or start anew in another"
                            + " folder with a lower run.optimizer.lr or a smaller run.optimizer.clip");
        }
        return false;
    }

    private boolean isExploding(double loss, double gradientNorm) {
        if (memory.losses.size() < WINDOW) {
            return false;
        }
        double usual = median(memory.losses);
        double size = median(memory.losses.stream().map(Math::abs).toList());
        double spread =
                median(memory.losses.stream().map(l -> Math.abs(l - usual)).toList());
        double scale = Math.max(size, spread);
        double norm = median(memory.norms);
        // A loss that is 0 more often than not, as a hinge, says nothing of what is usual; its gradient does.
        return scale > 0 && Math.abs(loss - usual) > LOSS_EXPLODES_AT * scale
                || norm > 0 && gradientNorm > GRADIENT_EXPLODES_AT * norm;
    }

    private static List<Double> with(List<Double> before, double value) {
        List<Double> all = new ArrayList<>(before);
        all.add(value);
        return all.subList(Math.max(0, all.size() - WINDOW), all.size());
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(Double.NaN);
    }

    /** What it remembers now. */
    Memory memory() {
        return memory;
    }
}
