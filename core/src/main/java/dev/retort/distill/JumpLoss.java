package dev.retort.distill;

import dev.retort.card.TrainedFor;

/** Losses of a student that says from any time where its path ends, so that it may be sampled in any number of steps. */
public sealed interface JumpLoss extends StepLoss permits StepLoss.Consistency, ContinuousConsistency {
    /** Whether the teacher leads along the path, instead of an image and its noise. */
    boolean distil();

    @Override
    default int teacherCalls() {
        return distil() ? 1 : 0;
    }

    /** Without a teacher it comes to what the data say, which are not guided. */
    @Override
    default TrainedFor trains(Lesson lesson) {
        return TrainedFor.jumps(lesson.sampling(), distil() ? lesson.taught().guidance() : 1);
    }
}
