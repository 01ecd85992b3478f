package dev.retort.cli.demo;

import dev.retort.report.Progress;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Watches a training run from outside: after some seconds of warm-up it takes its speed for some more, then stops it. */
final class Stopwatch implements Progress, BooleanSupplier {
    private final LongSupplier nanos;
    private final double warmUp;
    private final double measured;
    private final BooleanSupplier interrupted;
    private final long opened;
    private boolean stepping;
    private boolean warm;
    private long first;
    private long from;
    private long fromDone;
    private long last;
    private long lastDone;
    private long ended;

    /**
     * Starts when it is made.
     *
     * @param nanos the clock
     * @param warmUp seconds from the first step on that do not count
     * @param measured seconds that do
     * @param interrupted whether the user wants to stop
     */
    Stopwatch(LongSupplier nanos, double warmUp, double measured, BooleanSupplier interrupted) {
        this.nanos = nanos;
        this.warmUp = warmUp;
        this.measured = measured;
        this.interrupted = interrupted;
        opened = nanos.getAsLong();
    }

    @Override
    public void update(long done, long total, String text) {
        last = nanos.getAsLong();
        lastDone = done;
        if (!stepping) {
            stepping = true;
            first = last;
        }
        if (!warm && seconds(first, last) >= warmUp) {
            warm = true;
            from = last;
            fromDone = done;
        }
    }

    /** Whether the run should stop: it was measured, or the user wants it. */
    @Override
    public boolean getAsBoolean() {
        return measured() || interrupted.getAsBoolean();
    }

    /** Whether there is a speed. */
    boolean measured() {
        return warm && lastDone > fromDone && seconds(from, last) >= measured;
    }

    /** Seconds per image after the warm-up. */
    double secondsPerImage() {
        return seconds(from, last) / (lastDone - fromDone);
    }

    /** The run is over. */
    void end() {
        ended = nanos.getAsLong();
    }

    /** Seconds between the making of this watch and the end that were no steps: the run was opened, and saved. */
    double secondsAround() {
        return seconds(opened, first) + seconds(last, ended);
    }

    private static double seconds(long from, long to) {
        return (to - from) / 1e9;
    }
}
