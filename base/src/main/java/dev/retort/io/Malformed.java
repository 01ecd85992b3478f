package dev.retort.io;

import java.io.IOException;

/**
 * What is wrong with a file's content, without its name, and what to do about it. Where in the code that was noticed says
 * nothing more.
 */
final class Malformed extends IOException {
    private static final long serialVersionUID = 1L;
    private static final String FETCH = "fetch or copy it again";

    private final String remedy;

    /** For damage, which another copy of the file does not have. */
    Malformed(String message) {
        this(message, FETCH);
    }

    Malformed(String message, String remedy) {
        super(message);
        this.remedy = remedy;
    }

    /** The end of a sentence that begins with "cannot read FILE: ": what is wrong, and the remedy. */
    static String sentence(IOException wrong) {
        return wrong.getMessage() + "; " + (wrong instanceof Malformed known ? known.remedy : FETCH);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
