package dev.retort.bench;

/** One opened case: runs a step at a time. */
interface Step extends AutoCloseable {
    /** One step; the returned value must be finite, and its computation ends inside the call. */
    double run();

    /** Number of trained values. */
    long parameters();

    @Override
    void close();
}
