package dev.retort.runtime;

/** The one exception of this module: a sentence that names the cause and the next step, and a kind to decide by. */
public final class StudentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What went wrong. */
    public enum Kind {
        /** The file is missing, damaged, or no exported student. */
        BAD_FILE,
        /** The file is of another format, or of operators that this ONNX Runtime does not know. */
        UNSUPPORTED_VERSION,
        /** The file is for CPUs with instructions that this one lacks, or is not known to have. */
        UNSUPPORTED_CPU,
        /** The request names a class, a seed, a count or a number of steps that the student does not have. */
        BAD_REQUEST,
        /** The request asks for more pictures than the options allow. */
        TOO_LARGE,
        /** As many requests wait as the options allow; come again later (503 of a web service). */
        QUEUE_FULL,
        /** The pictures were not there in time. */
        DEADLINE,
        /** The waiting thread was interrupted. */
        CANCELLED,
        /** The student is closed. */
        CLOSED,
        /** ONNX Runtime could not be loaded, or failed at work; or the network drew what is no picture. */
        RUNTIME
    }

    private final Kind kind;

    /** @param message one sentence: the cause, then what to do next */
    public StudentException(Kind kind, String message) {
        this(kind, message, null);
    }

    /** @param message one sentence: the cause, then what to do next */
    public StudentException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /** What went wrong. */
    public Kind kind() {
        return kind;
    }
}
