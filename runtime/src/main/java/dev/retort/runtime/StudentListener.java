package dev.retort.runtime;

import java.nio.file.Path;

/**
 * Is told what a student does, for metrics and logs. Called on the student's threads and the callers', several at once; to return soon is up to the
 * listener. What it throws goes to the thread's handler of uncaught exceptions and stops nothing.
 */
public interface StudentListener {
    /** Listens to nothing. */
    StudentListener NONE = new StudentListener() {};

    /** A request was accepted; so many wait now, this one among them. */
    default void onQueued(int waiting) {}

    /**
     * A step of a batch was computed.
     *
     * @param step which, from 0
     * @param images pictures in the batch
     * @param nanos how long it took
     */
    default void onStep(int step, int images, long nanos) {}

    /**
     * A picture was drawn.
     *
     * @param queueNanos from its request until its batch began
     * @param drawNanos from there until it was there
     */
    default void onImage(long queueNanos, long drawNanos) {}

    /** A request was refused, or failed, or came too late. */
    default void onFailure(StudentException failure) {}

    /** The file was replaced by another, which serves all requests from now on. */
    default void onReload(Path file) {}

    /** Something is not as it should be, though pictures are drawn. */
    default void onWarning(String message) {}
}
