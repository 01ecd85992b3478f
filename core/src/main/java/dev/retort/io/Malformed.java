package dev.retort.io;

import java.io.IOException;

/** What is wrong with a file's content, without its name. Where in the code that was noticed says nothing more. */
final class Malformed extends IOException {
    private static final long serialVersionUID = 1L;

    Malformed(String message) {
        super(message);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
