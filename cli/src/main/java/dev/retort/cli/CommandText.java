package dev.retort.cli;

import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/** The command line as the user wrote it, for provenance: words with blanks in quotes. */
final class CommandText {
    private CommandText() {}

    static String of(CommandSpec spec) {
        return spec.root().commandLine().getParseResult().originalArgs().stream()
                .map(word -> word.matches("[^\\s'\"]+") ? word : "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" ", "retort ", ""));
    }
}
