package dev.retort.distill;

import dev.retort.config.OneLine;
import dev.retort.hub.DownloadListener;
import dev.retort.pipeline.Models;
import java.nio.file.Path;

/** The first weights of a student, in one word. */
public sealed interface StudentStart extends OneLine {
    /** Drawn by the run's seed. */
    record Random() implements StudentStart {}

    /** Cut from the teacher's: blocks at even distance, the channels of the largest weights; all of them where the student is no smaller. */
    record Cut() implements StudentStart {}

    /**
     * Cut likewise from another model, such as a student of more steps: {@code from:model=runs/fashion-few}.
     *
     * @param model a model folder, a run, a checkpoint or {@code hf:OWNER/NAME}; it must predict what the student is to predict
     */
    record From(String model) implements StudentStart {
        /** Where its model lies. */
        Path folder() {
            return Models.locate(model, DownloadListener.NONE);
        }
    }
}
