package dev.retort.runtime;

/** Is told how far a request is, on a thread of the student's. */
@FunctionalInterface
public interface ProgressListener {
    /** So many steps of pictures of {@code total} are done. */
    void onProgress(long done, long total);
}
