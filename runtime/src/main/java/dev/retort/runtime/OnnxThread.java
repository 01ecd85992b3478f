package dev.retort.runtime;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * A thread on which ONNX Runtime's environment and a session are made, for what that does to the thread it happens on. As the environment of a process is made, ONNX
 * Runtime 1.29 matches the whole command line with a recursive regular expression, some 250 bytes of stack for each character: from 4 kB on, as a class path of
 * many jars has, that is more than the stack of a Java thread, and the JVM dies without a word; this one has room for a megabyte. And the first session with
 * denormals off changes the arithmetic of its thread.
 */
public final class OnnxThread {
    private static final long STACK = 256L << 20; // reserved; memory is taken as it is used

    private OnnxThread() {}

    /**
     * Runs something there, and waits for it, interrupted or not: what it opens would be left open.
     *
     * @throws ExecutionException with what it threw
     */
    public static <T> T call(Callable<T> opening) throws ExecutionException {
        FutureTask<T> task = new FutureTask<>(opening);
        Thread thread = new Thread(null, task, "retort-open", STACK);
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
