package dev.retort.train;

import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.error.RetortException.Kind;
import java.nio.file.Path;
import tools.jackson.databind.node.ObjectNode;

/**
 * Where a run stands; with the tensors beside it, all that a resumed run needs to equal one never stopped. Stands in a
 * checkpoint as {@code state.json}.
 *
 * @param format version of the file's layout
 * @param imagesSeen the clock
 * @param steps optimiser steps taken
 * @param microBatch images per backward pass, kept so that sums are taken in the same order
 * @param microBatchFor what it was chosen for, in words: device and settings; empty where an older version did not say
 * @param dataImages images of the data set; 0 where an older version did not say
 * @param guard what the guard against bad steps remembers
 * @param seconds time spent training
 */
record TrainState(
        int format,
        long imagesSeen,
        long steps,
        int microBatch,
        String microBatchFor,
        long dataImages,
        LossGuard.Memory guard,
        double seconds) {
    static final String FILE = "state.json";
    static final int FORMAT = 2;

    private static final CardFile<TrainState> CARD_FILE = new CardFile<>(
            TrainState.class,
            FILE,
            "a checkpoint",
            FORMAT,
            Kind.CHECKPOINT,
            "it is not whole",
            "the checkpoint is damaged");

    /** Validates. */
    TrainState {
        Require.atLeast("imagesSeen", imagesSeen, 0);
        Require.atLeast("steps", steps, 0);
        Require.atLeast("microBatch", microBatch, 1);
        Require.atLeast("dataImages", dataImages, 0);
        Require.atLeast("seconds", seconds, 0);
        Require.that(microBatchFor != null, "microBatchFor", null, "text");
        Require.that(guard != null, "guard", null, "what the guard remembers");
    }

    /** The start of a run. */
    static TrainState start(int microBatch, String microBatchFor, long dataImages) {
        return new TrainState(FORMAT, 0, 0, microBatch, microBatchFor, dataImages, LossGuard.Memory.NONE, 0);
    }

    /** After one more optimiser step. */
    TrainState stepped() {
        return new TrainState(format, imagesSeen, steps + 1, microBatch, microBatchFor, dataImages, guard, seconds);
    }

    /** After that many more images and seconds. */
    TrainState advanced(int images, double more, LossGuard.Memory remembered) {
        return new TrainState(
                format, imagesSeen + images, steps, microBatch, microBatchFor, dataImages, remembered, seconds + more);
    }

    /** The same where it goes on with another micro-batch or other data. */
    TrainState on(int otherMicroBatch, String otherMicroBatchFor, long otherDataImages) {
        return new TrainState(
                format, imagesSeen, steps, otherMicroBatch, otherMicroBatchFor, otherDataImages, guard, seconds);
    }

    /** Writes it into a checkpoint. */
    void write(Path checkpoint) {
        CARD_FILE.write(checkpoint, this);
    }

    /** Reads a checkpoint's. */
    static TrainState read(Path checkpoint) {
        return CARD_FILE.read(checkpoint, TrainState::upgrade);
    }

    /** Format 1 had no number, kept the guard's memory flat with -1 for no mean yet, and took the mean over all steps. */
    private static void upgrade(ObjectNode state) {
        if (!state.has("format") && state.has("averageLoss")) {
            ObjectNode guard = state.putObject("guard");
            guard.set("skipped", state.remove("skippedSteps"));
            guard.set("skippedInARow", state.remove("skippedInARow"));
            guard.put("usual", Math.max(0, state.remove("averageLoss").asDouble(0)));
            guard.set("averaged", state.get("steps"));
            state.put("microBatchFor", "");
            state.put("dataImages", 0);
            state.put("format", FORMAT);
        }
    }
}
