package dev.retort.train;

import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.error.RetortException.Kind;
import dev.retort.run.RunFolder;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/**
 * Where a run stands; with the tensors beside it, all that a resumed run needs to equal one never stopped. Stands in a
 * checkpoint as {@code state.json}.
 *
 * @param format version of the file's layout
 * @param imagesSeen the clock
 * @param microBatch images per backward pass, kept so that sums are taken in the same order
 * @param microBatchFor what it was chosen for, in words: device and settings; empty where an older version did not say
 * @param dataImages images of the data set; 0 where an older version did not say
 * @param seconds time spent training
 * @param players what each {@link Stateful} remembers beside its tensors, by its name
 */
record TrainState(
        int format,
        long imagesSeen,
        int microBatch,
        String microBatchFor,
        long dataImages,
        double seconds,
        Map<String, ObjectNode> players) {
    static final String FILE = RunFolder.STATE;
    static final int FORMAT = 3;

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
        Require.atLeast("microBatch", microBatch, 1);
        Require.atLeast("dataImages", dataImages, 0);
        Require.atLeast("seconds", seconds, 0);
        Require.that(microBatchFor != null, "microBatchFor", null, "text");
        Require.that(players != null, "players", null, "what each player remembers");
    }

    /** The start of a run. */
    static TrainState start(int microBatch, String microBatchFor, long dataImages) {
        return new TrainState(FORMAT, 0, microBatch, microBatchFor, dataImages, 0, Map.of());
    }

    /** After that many more images and seconds. */
    TrainState advanced(int images, double more) {
        return new TrainState(
                format, imagesSeen + images, microBatch, microBatchFor, dataImages, seconds + more, players);
    }

    /** The same where it goes on with another micro-batch or other data. */
    TrainState on(int otherMicroBatch, String otherMicroBatchFor, long otherDataImages) {
        return new TrainState(
                format, imagesSeen, otherMicroBatch, otherMicroBatchFor, otherDataImages, seconds, players);
    }

    /** The same with what everybody remembers. */
    TrainState with(Map<String, ObjectNode> remembered) {
        return new TrainState(format, imagesSeen, microBatch, microBatchFor, dataImages, seconds, remembered);
    }

    /** Writes it into a checkpoint. */
    void write(Path checkpoint) {
        CARD_FILE.write(checkpoint, this);
    }

    /**
     * Reads a checkpoint's.
     *
     * @param first name of the one that an older version, which knew no names, tells of
     */
    static TrainState read(Path checkpoint, String first) {
        return CARD_FILE.read(checkpoint, state -> upgrade(state, first));
    }

    /**
     * Format 1 had no number and kept the guard's memory flat; up to format 2 there was one player, and the guard remembered a
     * running mean, which is begun anew.
     */
    private static void upgrade(ObjectNode state, String first) {
        ObjectNode guard = null;
        if (!state.has("format") && state.has("averageLoss")) {
            guard = state.objectNode();
            guard.set("skipped", state.remove("skippedSteps"));
            guard.set("skippedInARow", state.remove("skippedInARow"));
            state.remove("averageLoss");
            state.put("microBatchFor", "");
            state.put("dataImages", 0);
        } else if (state.path("format").asInt(0) == 2 && state.remove("guard") instanceof ObjectNode before) {
            guard = before;
            guard.remove("usual");
            guard.remove("averaged");
        }
        if (guard != null) {
            guard.putArray("losses");
            guard.putArray("norms");
            ObjectNode player = state.putObject("players").putObject(first);
            player.set("steps", state.remove("steps"));
            player.set("guard", guard);
            state.put("format", FORMAT);
        }
    }
}
