package dev.retort.runtime;

import ai.onnxruntime.OrtEnvironment;

/**
 * ONNX Runtime's environment, of which a process has one. As it is made, ONNX Runtime 1.29 matches the process's whole command line with a
 * recursive regular expression, some 250 bytes of stack for each character: from 4 kB on, as a class path of many jars has, that is more than the
 * stack of a Java thread, and the JVM dies without a word. So it is made on a thread with room for a megabyte of command line.
 */
public final class OnnxEnvironment {
    private static final long STACK = 256L << 20; // reserved; memory is taken as it is used

    private OnnxEnvironment() {}

    /** The environment; an {@link UnsatisfiedLinkError} or another {@link LinkageError} where ONNX Runtime's libraries cannot be loaded. */
    public static OrtEnvironment get() {
        return Holder.ENVIRONMENT;
    }

    /** Made at the first use. */
    private static final class Holder {
        private static final OrtEnvironment ENVIRONMENT = made();
    }

    /** Outside of the holder, whose first use waits for it: what another thread runs there would wait for that in turn. */
    private static OrtEnvironment made() {
        OrtEnvironment[] made = new OrtEnvironment[1];
        Throwable[] failure = new Throwable[1];
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        made[0] = OrtEnvironment.getEnvironment();
                    } catch (Throwable e) {
                        failure[0] = e;
                    }
                },
                "retort-onnx",
                STACK);
        thread.setDaemon(true);
        thread.start();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true; // nobody else will make it
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure[0] instanceof Error error) {
            throw error;
        }
        if (failure[0] instanceof RuntimeException error) {
            throw error;
        }
        return made[0];
    }
}
