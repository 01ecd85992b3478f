package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Locale;

/** Turns a native failure, whose text carries pages of C++ frames, into one clean sentence. */
public final class TorchError {
    private TorchError() {}

    /** The first line of the message: libtorch puts the reason there and the frames below. */
    public static String firstLine(Throwable error) {
        String text = error.getMessage() == null
                ? error.getClass().getSimpleName()
                : error.getMessage().strip();
        int end = text.indexOf('\n');
        String line = end < 0 ? text : text.substring(0, end);
        int frames = line.indexOf("Exception raised from");
        return (frames < 0 ? line : line.substring(0, frames)).strip();
    }

    /** The user's exception for a native one: MEMORY when an allocation failed, otherwise ENVIRONMENT. */
    public static RetortException translate(RuntimeException error, String during) {
        if (error instanceof RetortException known) {
            return known;
        }
        if (isOutOfMemory(error)) {
            return new RetortException(
                    Kind.MEMORY,
                    "memory ran out while " + during
                            + "; lower the batch (train.microBatch) or switch on activation checkpointing",
                    error);
        }
        return new RetortException(
                Kind.ENVIRONMENT, "libtorch failed while " + during + ": " + firstLine(error), error);
    }

    /** Whether a native failure says that memory ran out, on the CPU or on a GPU. */
    public static boolean isOutOfMemory(Throwable error) {
        String text = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        return error instanceof OutOfMemoryError
                || text.contains("out of memory")
                || text.contains("can't allocate memory")
                || text.contains("not enough memory");
    }
}
