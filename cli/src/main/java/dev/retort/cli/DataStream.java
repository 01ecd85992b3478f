package dev.retort.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The stream of a command's results, in UTF-8. It remembers why a write failed, which a {@link PrintStream} forgets. */
final class DataStream extends PrintStream {
    private final Remembering stream;

    /** On a stream that is not buffered. */
    static DataStream on(OutputStream stream) {
        return new DataStream(new Remembering(stream));
    }

    private DataStream(Remembering stream) {
        super(stream, true, StandardCharsets.UTF_8);
        this.stream = stream;
    }

    /** Why not all of it arrived; empty where all did, or where the reader, such as {@code head}, wanted no more. */
    Optional<String> failure() {
        flush();
        return Optional.ofNullable(stream.failure)
                .map(e -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage())
                .filter(reason -> !reason.contains("Broken pipe"));
    }

    private static final class Remembering extends OutputStream {
        private final OutputStream stream;
        private IOException failure;

        Remembering(OutputStream stream) {
            this.stream = stream;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            try {
                stream.write(bytes, from, count);
            } catch (IOException e) {
                failure = failure == null ? e : failure;
                throw e;
            }
        }
    }
}
