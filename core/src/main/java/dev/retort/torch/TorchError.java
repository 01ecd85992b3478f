package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.List;
import java.util.Locale;

/** Turns a native failure, whose text carries pages of C++ frames, into one clean sentence. */
public final class TorchError {
    /** How libtorch, its allocators, the C++ library and CUDA say that memory ran out, in lower case. */
    private static final List<String> NO_MEMORY = List.of(
            "out of memory",
            "allocate memory", // can't, cannot, failed to
            "not enough memory",
            "defaultcpuallocator",
            "bad_alloc",
            "bad allocation",
            "alloc_failed",
            "storage size calculation overflowed");

    private static final List<String> OF_THE_MACHINE = List.of(
            "cuda error",
            "cuda driver",
            "nvidia driver",
            "no kernel image",
            "cudnn",
            "cublas",
            "needs the cpu support");

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

    /**
     * What to throw for a native failure: a user's exception of kind MEMORY when an allocation failed, of kind ENVIRONMENT
     * when the machine lacks something; any other is a fault of ours and stays one, in one line.
     *
     * @param during what was done, such as {@code training}
     * @param remedy what the user can do where memory ran out
     */
    public static RuntimeException translate(RuntimeException error, String during, String remedy) {
        return translate(error, during, remedy, "");
    }

    /**
     * The same with the argument that the remedy changes.
     *
     * @param field its name, such as {@code batch}: {@link RetortException#field()} where memory ran out
     */
    public static RuntimeException translate(RuntimeException error, String during, String remedy, String field) {
        if (error instanceof RetortException known) {
            return known;
        }
        if (isOutOfMemory(error)) {
            return new RetortException(Kind.MEMORY, "memory ran out while " + during + "; " + remedy, error)
                    .about(field);
        }
        if (isOfTheMachine(error)) {
            return new RetortException(
                    Kind.ENVIRONMENT,
                    "libtorch failed while " + during + ": " + firstLine(error)
                            + "; run 'retort doctor', or choose another device or precision",
                    error);
        }
        // JavaCPP throws C++ exceptions as RuntimeException itself; whatever else arrives here says what it is.
        return error.getClass() == RuntimeException.class
                ? new IllegalStateException("libtorch failed while " + during + ": " + firstLine(error), error)
                : error;
    }

    /** Whether a failure, or what caused it, says that memory ran out: Java's, the CPU's or a GPU's. */
    public static boolean isOutOfMemory(Throwable error) {
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof OutOfMemoryError || says(at, NO_MEMORY)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a failure is one of the driver or the processor: a device, a library or an instruction that is not there. */
    private static boolean isOfTheMachine(Throwable error) {
        // An assertion or a wild access in a kernel is a wrong index of ours.
        return says(error, OF_THE_MACHINE) && !says(error, List.of("device-side assert", "illegal memory access"));
    }

    private static boolean says(Throwable error, List<String> texts) {
        String text = String.valueOf(error.getMessage()).toLowerCase(Locale.ROOT);
        return texts.stream().anyMatch(text::contains);
    }
}
