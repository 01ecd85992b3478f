package dev.retort.runtime;

/**
 * What a student has done since it was opened.
 *
 * @param requests accepted
 * @param failures requests refused, failed or late
 * @param images drawn
 * @param batches begun
 * @param steps computed, each of a batch
 * @param queueNanos time that drawn images waited before, in all
 * @param stepNanos time that steps took, in all
 * @param waiting requests that wait now
 */
public record StudentMetrics(
        long requests,
        long failures,
        long images,
        long batches,
        long steps,
        long queueNanos,
        long stepNanos,
        int waiting) {}
