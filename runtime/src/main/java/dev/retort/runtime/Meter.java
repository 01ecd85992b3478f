package dev.retort.runtime;

import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what happens and tells the listener. */
final class Meter {
    private final StudentListener listener;
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong images = new AtomicLong();
    private final AtomicLong batches = new AtomicLong();
    private final AtomicLong steps = new AtomicLong();
    private final AtomicLong queueNanos = new AtomicLong();
    private final AtomicLong stepNanos = new AtomicLong();

    Meter(StudentListener listener) {
        this.listener = listener;
    }

    /** Calls a listener; what it throws is for the thread's handler and does not stop the work, whatever it is. */
    void told(Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            handled(Thread.currentThread(), e);
        }
    }

    /** What the handler itself throws is ignored, as the JVM does. */
    private static void handled(Thread thread, Throwable thrown) {
        try {
            thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
        } catch (Throwable e) {
            // there is nobody left to tell
        }
    }

    void queued(int waiting) {
        requests.incrementAndGet();
        told(() -> listener.onQueued(waiting));
    }

    void batch() {
        batches.incrementAndGet();
    }

    void step(int step, int size, long nanos) {
        steps.incrementAndGet();
        stepNanos.addAndGet(nanos);
        told(() -> listener.onStep(step, size, nanos));
    }

    void image(long queued, long drawn) {
        images.incrementAndGet();
        queueNanos.addAndGet(queued);
        told(() -> listener.onImage(queued, drawn));
    }

    /** Of a request that was refused, failed or came too late. */
    StudentException failure(StudentException failure) {
        failures.incrementAndGet();
        told(() -> listener.onFailure(failure));
        return failure;
    }

    void reload(Path file) {
        told(() -> listener.onReload(file));
    }

    void warning(String message) {
        told(() -> listener.onWarning(message));
    }

    StudentMetrics read(int waiting) {
        return new StudentMetrics(
                requests.get(),
                failures.get(),
                images.get(),
                batches.get(),
                steps.get(),
                queueNanos.get(),
                stepNanos.get(),
                waiting);
    }
}
