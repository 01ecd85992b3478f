package dev.retort.distill;

import dev.retort.config.OneLine;

/** The first weights of a student, in one word. */
public sealed interface StudentStart extends OneLine {
    /** Drawn by the run's seed. */
    record Random() implements StudentStart {}

    /** Cut from the teacher's: blocks at even distance, leading channels; all of them where the student is no smaller. */
    record Cut() implements StudentStart {}
}
