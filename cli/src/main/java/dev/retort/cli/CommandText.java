package dev.retort.cli;

import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/** Command lines as a person writes them: words with blanks in quotes. */
final class CommandText {
    private CommandText() {}

    /** The command line that was given, for provenance. */
    static String of(CommandSpec spec) {
        return spec.root().commandLine().getParseResult().originalArgs().stream()
                .map(CommandText::word)
                .collect(Collectors.joining(" ", "retort ", ""));
    }

    /** One of its words. */
    static String word(String word) {
        return word.matches("[^\\s'\"]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
