package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** One command run in this process, with what it printed. */
record Ran(int exitCode, String out, String err) {
    static Ran retort(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = Main.run(new Terminal(DataStream.on(out), stream(err), false, false), args);
        return new Ran(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Asserts that it ended well. */
    Ran good() {
        assertThat(exitCode).as(err).isZero();
        return this;
    }

    /** Asserts that it ended with that code, one sentence that holds the words, and nothing printed. */
    void refused(int code, String... words) {
        assertThat(exitCode).as(err).isEqualTo(code);
        assertThat(out).isEmpty();
        assertThat(err.lines().filter(line -> line.startsWith("retort: "))).hasSize(1);
        assertThat(err).contains(words).doesNotContain("\tat ");
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }
}
