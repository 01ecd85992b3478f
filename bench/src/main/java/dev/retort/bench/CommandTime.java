package dev.retort.bench;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Wall clock of a whole command, from the start of the launcher to its end.
 *
 * @param command its arguments
 * @param seconds of each run, in order
 */
record CommandTime(String command, double[] seconds) {
    private static final int RUNS = 10;

    /**
     * Runs a command several times, once more before that to have files in memory and the launcher's build done.
     *
     * @param launcher {@code ./retort}
     * @param command arguments, parted by spaces
     */
    static CommandTime of(Path launcher, String command) {
        List<String> line = new ArrayList<>(List.of(launcher.toAbsolutePath().toString()));
        line.addAll(List.of(command.split(" ")));
        once(line);
        double[] seconds = new double[RUNS];
        for (int run = 0; run < RUNS; run++) {
            seconds[run] = once(line);
        }
        return new CommandTime(command, seconds);
    }

    private static double once(List<String> line) {
        long started = System.nanoTime();
        int code;
        try {
            code = new ProcessBuilder(line)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new RetortException(
                    Kind.USAGE, line.get(0) + " cannot be started (" + e.getMessage() + "); start in its folder", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RetortException(Kind.INTERRUPTED, "stopped while measuring", e);
        }
        if (code != 0) {
            throw new RetortException(
                    Kind.USAGE, String.join(" ", line) + " ended with " + code + "; try it by itself first");
        }
        return (System.nanoTime() - started) / 1e9;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "retort %s: median %.2f s, %.2f to %.2f s in %d runs",
                command,
                Contest.middle(seconds),
                Arrays.stream(seconds).min().orElseThrow(),
                Arrays.stream(seconds).max().orElseThrow(),
                seconds.length);
    }
}
