package dev.retort.error;

/**
 * The one exception a user of Retort meets: one sentence that names the cause (file or field, value, what was expected)
 * and the next step. Its {@link Kind} decides the exit code of the command line. Control characters in names of files and
 * tensors stand in it as their escapes.
 */
public final class RetortException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What went wrong, each with the exit code of the {@code retort} command. */
    public enum Kind {
        /** The command line itself is wrong. */
        USAGE(2),
        /** A preset, a configuration file or a field in it is wrong. */
        CONFIG(3),
        /** The machine lacks something: a device, a library, a JDK feature. */
        ENVIRONMENT(4),
        /** Memory is exhausted. */
        MEMORY(5),
        /** Images, labels or other data are missing, unreadable or of the wrong shape. */
        DATA(6),
        /** A checkpoint is missing, truncated, of another architecture or used against its own metadata. */
        CHECKPOINT(7),
        /** Training diverged: the loss stays non-finite or explodes, or a logged value left the band expected of it. */
        DIVERGED(8),
        /** A file could not be written: disk full, no permission. */
        WRITE(9),
        /** The model hub does not answer, or refuses what was asked for. */
        NETWORK(10),
        /** The user interrupted; state was saved. */
        INTERRUPTED(130);

        private final int exitCode;

        Kind(int exitCode) {
            this.exitCode = exitCode;
        }

        /** Exit code of the process. */
        public int exitCode() {
            return exitCode;
        }
    }

    private final Kind kind;
    private final String field;

    /** @param message one sentence: the cause, then what to do next */
    public RetortException(Kind kind, String message) {
        this(kind, message, null);
    }

    /** @param message one sentence: the cause, then what to do next */
    public RetortException(Kind kind, String message, Throwable cause) {
        this(kind, message, cause, "");
    }

    private RetortException(Kind kind, String message, Throwable cause, String field) {
        super(Printable.line(message), cause);
        this.kind = kind;
        this.field = field;
    }

    /**
     * The same error with the argument or field that the next step changes.
     *
     * @param field its name in the library, such as {@code device} or {@code hints.heads}; a command adds its own option for it
     */
    public RetortException about(String field) {
        return new RetortException(kind, getMessage(), getCause(), field);
    }

    /** What went wrong. */
    public Kind kind() {
        return kind;
    }

    /** The argument or field that the next step changes; empty where the sentence is about none. */
    public String field() {
        return field;
    }
}
