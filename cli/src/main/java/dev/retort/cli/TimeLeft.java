package dev.retort.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * How long a task will still take: what is left of it, at the speed at which this process came so far. Where it was predicted,
 * the prediction counts like half a minute of experience, so that a first part that is slower than the rest misleads little
 * and a machine that is slower than it was is soon found out.
 */
final class TimeLeft {
    private static final double TRUST = 30;

    private final LongSupplier nanos;
    private final double predicted;
    private boolean started;
    private long startDone;
    private long startNanos;
    private long done;
    private long total = 1;

    /**
     * For a task of which nothing is known.
     *
     * @param nanos the clock
     */
    TimeLeft(LongSupplier nanos) {
        this(nanos, 0);
    }

    /**
     * For a task whose units take about equally long.
     *
     * @param nanos the clock
     * @param predicted seconds that all of it was predicted to take; 0 where it was not
     */
    TimeLeft(LongSupplier nanos, double predicted) {
        this.nanos = nanos;
        this.predicted = predicted;
    }

    /** The task has come this far; what was done before the first call was done by another process. */
    synchronized void update(long done, long total) {
        if (!started) {
            started = true;
            startDone = done;
            startNanos = nanos.getAsLong();
        }
        this.done = done;
        this.total = total;
    }

    /** Time to the end; empty before anything is known and once all is done. */
    synchronized Optional<Duration> estimate() {
        double trust = predicted == 0 ? 0 : TRUST;
        double experience = done - startDone + trust * total / Math.max(1, predicted);
        if (!started || experience == 0 || done >= total) {
            return Optional.empty();
        }
        double seconds = (nanos.getAsLong() - startNanos) / 1e9 + trust;
        return Optional.of(Duration.ofMillis(Math.round(1e3 * seconds / experience * (total - done))));
    }
}
