package dev.retort.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Ctrl-C (or a polite kill) during work that can stop between two steps: the work sees the flag, saves, and only then
 * does the process end, with the exit code of the signal (130 for Ctrl-C).
 */
final class Interrupt implements BooleanSupplier, AutoCloseable {
    private static final CountDownLatch DONE = new CountDownLatch(1);
    private static final long PATIENCE_SECONDS = 120;

    private final Thread hook;
    private volatile boolean asked;

    private Interrupt(Terminal terminal) {
        hook = new Thread(() -> stop(terminal), "interrupt");
    }

    /** Starts to listen; what it returns is true once the user wants to stop. */
    static Interrupt listen(Terminal terminal) {
        Interrupt interrupt = new Interrupt(terminal);
        Runtime.getRuntime().addShutdownHook(interrupt.hook);
        return interrupt;
    }

    /** The command has ended: a process that is being stopped may go. */
    static void finished() {
        DONE.countDown();
    }

    @Override
    public boolean getAsBoolean() {
        return asked;
    }

    /** The work is over: from here on a signal ends the process at once. */
    @Override
    public void close() {
        if (!asked) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // the process is being stopped already; the hook waits until the command has said what it has to say
                asked = true;
            }
        }
    }

    private void stop(Terminal terminal) {
        asked = true;
        terminal.err().println();
        terminal.err().println("Stopping after this step; the run is saved.");
        try {
            DONE.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
